# Paper scale: 128x128, four steps, seven temperatures, the filters of Figs. 2 and 5. The flow uses the rule that was learned on
# level 0 of levels.mk. "make paper" also makes what levels.mk, thermometers.mk and crossing.mk describe.

PAPER_AROUND  := 0.95 0.97 0.985 1.015 1.03 1.05
PAPER_SAMPLES := $(PAPER_AROUND:%=paper-samples-%.h5) paper-samples-Tc.h5
PAPER_FILTERS := paper-lambda2x2-1 paper-lambda2x2-4 paper-lambda4x4-1 paper-lambda4x4-4
PAPER_FIGURES := paper-samples.png paper-theta.png $(PAPER_FILTERS:%=%.png) paper-flow.png paper-exponent.png paper-exponent-majority.png

paper-samples-Tc.h5:
	$(RSMI) sample --size 128 --temperature Tc --samples 300000 --seed $(SEED) --force -o $@

paper-samples-%.h5:
	$(RSMI) sample --size 128 --temperature $*Tc --samples 30000 --seed $(SEED) --force -o $@

paper-theta.h5: paper-samples-Tc.h5
	$(RSMI) train-theta $< --block 2x2 --seed $(SEED) --force -o $@

paper-lambda2x2-1.h5: paper-samples-Tc.h5 paper-theta.h5
	$(RSMI) train-lambda $< --theta paper-theta.h5 --hidden 1 --seed $(SEED) --force -o $@

paper-lambda2x2-4.h5: paper-samples-Tc.h5 paper-theta.h5
	$(RSMI) train-lambda $< --theta paper-theta.h5 --hidden 4 --seed $(SEED) --force -o $@

paper-lambda4x4-1.h5 paper-lambda4x4-4.h5: paper-lambda4x4-%.h5: paper-samples-Tc.h5
	$(RSMI) train-lambda $< --block 4x4 --hidden $* --seed $(SEED) --force -o $@

paper-flow.h5: $(PAPER_SAMPLES) rule-0.h5
	$(RSMI) flow $(PAPER_SAMPLES) --rule rule-0.h5 --hard --steps 4 --seed $(SEED) --force -o $@

paper-flow-majority.h5: $(PAPER_SAMPLES)
	$(RSMI) flow $(PAPER_SAMPLES) --rule majority --steps 4 --seed $(SEED) --force -o $@

paper-exponent.h5 paper-exponent-majority.h5: paper-exponent%.h5: paper-flow%.h5
	$(RSMI) exponent $< --force -o $@

paper-samples.png: paper-samples-1.05.h5 paper-samples-Tc.h5 paper-samples-0.95.h5
	$(RSMI) plot $^ -o $@

paper-theta.png $(PAPER_FILTERS:%=%.png) paper-flow.png paper-exponent.png paper-exponent-majority.png: %.png: %.h5
	$(RSMI) plot $< -o $@

paper.txt: paper.py table.py paper-exponent.h5 paper-exponent-majority.h5 $(PAPER_FILTERS:%=%.h5) rule-0.h5
	RSMI="$(RSMI)" $(PYTHON) paper.py > $@.tmp && mv $@.tmp $@

paper: paper.txt levels.txt thermometers.txt thermometers.png crossing.png $(PAPER_FIGURES)
	@cat paper.txt levels.txt thermometers.txt
	@$(RSMI) info crossing.h5
	@echo "figures: $(PAPER_FIGURES) levels.png thermometers.png crossing.png"

.PHONY: paper
