# The flow of 128x128 below, at and above T_c as two thermometers read it: from the energy, and from I(H:E) of one learned rule.
#
#   direct-L-T.h5        configurations of LxL at T (in units of T_c); they calibrate the information of every size of the flow
#   coarse-N-T.h5        direct-128-T.h5 after N steps with the rule of level 0 of levels.mk
#   information-*.json   I(H:E) of that rule on these configurations
#   flow-128.h5          the effective couplings from the energy

FLOWING     := 1.02 1.01 1.005 1 0.995 0.99 0.98
CALIBRATING := 1.05 1.03 1.01 0.99 0.971
FLOW_SIZES  := 128 64 32 16 8
DIRECT      := $(foreach size,$(FLOW_SIZES),$(CALIBRATING:%=direct-$(size)-%))
COARSE      := $(foreach step,1 2 3 4,$(FLOWING:%=coarse-$(step)-%))
INFORMATION := $(sort $(DIRECT) $(FLOWING:%=direct-128-%) $(COARSE))
INFORMATION := $(INFORMATION:%=information-%.json)

thermometers: thermometers.txt thermometers.png
	@cat thermometers.txt

direct-%.h5:
	$(RSMI) sample --size $(firstword $(subst -, ,$*)) --temperature $(lastword $(subst -, ,$*))Tc --samples 4000 --seed $(SEED) --force -o $@

coarse-1-%.h5: direct-128-%.h5 rule-0.h5
	$(RSMI) coarse-grain $< --rule rule-0.h5 --hard --seed $(SEED) --force -o $@

coarse-2-%.h5: coarse-1-%.h5 rule-0.h5
	$(RSMI) coarse-grain $< --rule rule-0.h5 --hard --seed $(SEED) --force -o $@

coarse-3-%.h5: coarse-2-%.h5 rule-0.h5
	$(RSMI) coarse-grain $< --rule rule-0.h5 --hard --seed $(SEED) --force -o $@

coarse-4-%.h5: coarse-3-%.h5 rule-0.h5
	$(RSMI) coarse-grain $< --rule rule-0.h5 --hard --seed $(SEED) --force -o $@

information-%.json: flows.py %.h5 rule-0.h5
	$(PYTHON) flows.py information $*.h5 rule-0.h5 > $@.tmp && mv $@.tmp $@

flow-128.h5: $(FLOWING:%=direct-128-%.h5) rule-0.h5
	$(RSMI) flow $(FLOWING:%=direct-128-%.h5) --rule rule-0.h5 --hard --steps 4 --seed $(SEED) --force -o $@

thermometers.txt: flows.py flow-128.h5 $(INFORMATION)
	$(PYTHON) flows.py table flow-128.h5 $(INFORMATION) > $@.tmp && mv $@.tmp $@

thermometers.png: flows.py flow-128.h5 $(INFORMATION)
	$(PYTHON) flows.py figure flow-128.h5 $(INFORMATION) $@

.PHONY: thermometers
