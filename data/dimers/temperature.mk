# Dimers that attract each other, against the temperature (Gokmen et al.): two bits of a 4x4 block, 8x8 links, without noise. The lattice
# of 32x32 has room for buffers up to 13. Chains begin in the four columnar states in turn, which they do not leave at low temperature: of
# 40 chains the fifth that is held out has two of each.
#
#   interacting-T.h5   coverings at T in |v|/k_B; inf: free dimers
#   rule-T-B.h5        two hidden units at buffer B

TEMPERATURES := 0.3 0.4 0.5 0.6 0.65 0.8 1 1.5 2 3 5 inf
BUFFERS      := 2 4 8
RULES        := $(foreach buffer,$(BUFFERS),$(TEMPERATURES:%=rule-%-$(buffer).h5))

interacting-%.h5:
	$(RSMI) sample --model dimers --size 32 --temperature $* --chains 40 --samples 20000 --seed $(SEED) --force -o $@

define rules_of
rule-%-$(1).h5: interacting-%.h5
	$$(RSMI) train-lambda $$< --block 4x4 --buffer $(1) --environment 1 --hidden 2 --windows 75000 --seed $$(SEED) --force -o $$@
endef
$(foreach buffer,$(BUFFERS),$(eval $(call rules_of,$(buffer))))

temperature.txt temperature.png &: temperature.py readouts.py $(RULES)
	$(PYTHON) temperature.py temperature.png $(RULES) > temperature.txt.tmp && mv temperature.txt.tmp temperature.txt
