# Several steps of the renormalization group with a rule learned anew at every level: 128 -> 64 -> 32 -> 16 -> 8, at T_c.
#
#   level-N.h5   configurations after N steps
#   rule-N.h5    one hidden unit of a 2x2 block of that level: the rule of step N + 1
#   block-N.h5   four hidden units, which copy the block: what the block itself knows, I(V:E)

LEVELS := 0 1 2 3 4

level-0.h5:
	$(RSMI) sample --size 128 --temperature Tc --samples 20000 --seed $(SEED) --force -o $@

rule-%.h5: level-%.h5
	$(RSMI) train-lambda $< --block 2x2 --hidden 1 --windows 300000 --seed $(SEED) --force -o $@

block-%.h5: level-%.h5
	$(RSMI) train-lambda $< --block 2x2 --hidden 4 --windows 300000 --seed $(SEED) --force -o $@

# $(call next_level,N,N+1)
define next_level
level-$(2).h5: level-$(1).h5 rule-$(1).h5
	$$(RSMI) coarse-grain $$< --rule rule-$(1).h5 --hard --seed $$(SEED) --force -o $$@
endef
$(foreach pair,0:1 1:2 2:3 3:4,$(eval $(call next_level,$(firstword $(subst :, ,$(pair))),$(lastword $(subst :, ,$(pair))))))

levels.txt: levels.py $(LEVELS:%=rule-%.h5) $(LEVELS:%=block-%.h5)
	RSMI="$(RSMI)" $(PYTHON) levels.py levels.png > $@.tmp && mv $@.tmp $@

levels: levels.txt
	@cat $<

.PHONY: levels
