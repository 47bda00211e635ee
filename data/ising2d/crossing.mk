# T_c from data alone: crossings of Binder cumulants and correlation ratios of three sizes. The temperatures are a guess, not
# an input: any that lie on both sides of T_c and overlap give the same answer.
#
#   crossing-L-T.h5   configurations of LxL at T (in units of T_c)

CROSSING_AT := 0.98 0.99 1 1.01 1.02
CROSSING    := $(foreach size,16 32 64,$(CROSSING_AT:%=crossing-$(size)-%.h5))

crossing-16-%.h5:
	$(RSMI) sample --size 16 --temperature $*Tc --samples 80000 --seed $(SEED) --force -o $@

crossing-32-%.h5:
	$(RSMI) sample --size 32 --temperature $*Tc --samples 40000 --seed $(SEED) --force -o $@

crossing-64-%.h5:
	$(RSMI) sample --size 64 --temperature $*Tc --samples 20000 --seed $(SEED) --force -o $@

crossing.h5: $(CROSSING)
	$(RSMI) crossing $^ --force -o $@

crossing.png: crossing.h5
	$(RSMI) plot $< -o $@

crossing: crossing.png
	$(RSMI) info crossing.h5

.PHONY: crossing
