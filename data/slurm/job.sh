# What the jobs of this folder have in common: the samples, and how a command is run.

RSMI=${RSMI:-rsmi}
SAMPLE=${SAMPLE:---size 64 --temperature Tc --samples 1000000 --chains 4096}

# The name of this job: a task of an array is ARRAY_TASK, for the job id of its last task is the id of the whole array.
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
job=${job:-$SLURM_JOB_ID}

# Run one rsmi command as a job step: srun hands it the signals of Slurm, and its exit code back. Exit code 75 says that the
# checkpoint is written and the same command continues: so does the job, from the top of its script, where commands that are
# complete already say so. 138 is USR1 in the moment in which Python starts, before there is anything to write.
run() {
    srun --ntasks=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" $RSMI "$@" --threads "$SLURM_CPUS_PER_TASK"
    code=$?
    if [ $code = 75 ] || [ $code = 138 ]; then
        scontrol requeue "$job"
    fi
    [ $code = 0 ] || exit $code
}
