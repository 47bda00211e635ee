"""The command ``rsmi`` of a shell or a script whose processes are forked (`fork_server.py`): the
program that they call sends its arguments and standard streams to this process."""

import sys

# The interpreter of the program is started without the site packages, in some milliseconds.
PROGRAM = [sys.executable, "-IS", __file__]


def serving(name: str):
    """A context in which ``[*PROGRAM, name, ...]`` is the command ``rsmi``; ``name`` is that of a
    socket that this creates in the current folder, which is the one of the commands."""
    import contextlib
    import socket
    from threading import Thread

    @contextlib.contextmanager
    def context():
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(name)
            listener.listen()
            Thread(target=_fork_for_all, args=(listener,), daemon=True).start()
            try:
                yield
            finally:
                listener.shutdown(socket.SHUT_RDWR)

    return context()


def _fork_for_all(listener) -> None:
    """Fork a process for every client until the listener is closed."""
    import contextlib
    from concurrent.futures import ThreadPoolExecutor

    with contextlib.suppress(OSError), ThreadPoolExecutor() as pool:
        while True:
            client, _ = listener.accept()
            pool.submit(_tell_end, client, _fork_for(client))


def _fork_for(client):
    """Fork a process that has the arguments and the streams of a client."""
    import os
    import socket

    from conftest import process
    from fork_server import STREAMS

    words, streams, _, _ = socket.recv_fds(client, 1 << 16, len(STREAMS))
    child = process(words.decode().split("\0"), **dict(zip(STREAMS, streams)))
    for stream in streams:
        os.close(stream)
    return child


def _tell_end(client, child) -> None:
    """Send a client the exit code of its process."""
    with client:
        client.send(str(child.wait()).encode())


def main() -> None:
    """Ask for a process, and end with its exit code."""
    import socket

    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(sys.argv[1])
        socket.send_fds(channel, ["\0".join(sys.argv[2:]).encode()], [0, 1, 2])
        sys.exit(int(channel.recv(16)))


if __name__ == "__main__":
    main()
