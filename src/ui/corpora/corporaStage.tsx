/** @file The texts that the page measures on, and the panel to choose, add or download others. */

import { useEffect, useState } from 'react';
import { commands } from '../../lab/page/app';
import type { TaskKey } from '../../lab/page/store';
import { FailureNote } from '../parts/failureNote';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { AddText } from './addText';
import { CalibrationText, EvaluationText } from './chooseText';
import { calibrationLine, evaluationLine, provenance } from './describe';
import { StoredTexts } from './storedTexts';

export function CorporaStage() {
  const model = useLab((state) => state.model);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (open) void commands.refreshTexts();
  }, [open]);
  return (
    <section className="card corpora" aria-labelledby="corpora-title">
      <div className="bar">
        <h2 id="corpora-title">Texts</h2>
        <InUse />
        <span className="spring" />
        <button
          type="button"
          className="button"
          aria-expanded={open}
          aria-controls="corpora-choice"
          disabled={!model?.tokenizer}
          onClick={() => setOpen(!open)}
        >
          {open ? 'Close' : 'Choose texts'}
        </button>
      </div>
      <Doing task="text:calibration" label="Calibrating" failed="The calibration text could not be used" />
      <Doing task="text:evaluation" label="Measuring" failed="The evaluation text could not be used" />
      <Doing task="text:add" label="Reading the text" failed="The text could not be added" />
      {open && model?.tokenizer && (
        <div className="sources" id="corpora-choice">
          <CalibrationText />
          <EvaluationText />
          <AddText />
          <StoredTexts />
        </div>
      )}
    </section>
  );
}

/** The tokens behind the page's current numbers. */
function InUse() {
  const corpora = useLab((state) => state.corpora);
  const calibration = useLab((state) => state.calibration);
  const evaluation = useLab((state) => state.base?.text);
  return (
    <p className="bar-note in-use">
      {calibration && (
        <span title={provenance(calibration)}>Calibrated on {calibrationLine(calibration, corpora)}</span>
      )}
      {evaluation && <span title={provenance(evaluation)}>Perplexity on {evaluationLine(evaluation, corpora)}</span>}
    </p>
  );
}

function Doing({ task: key, label, failed }: { task: TaskKey; label: string; failed: string }) {
  const task = useTask(key);
  if (task.phase === 'running') return <ProgressBar label={label} progress={task.progress} taskKey={key} />;
  return task.phase === 'failed' ? <FailureNote title={failed} failure={task.failure} /> : null;
}
