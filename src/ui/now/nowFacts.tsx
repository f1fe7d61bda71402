/** @file Figures of the edited plan: its size immediately, its speed after a benchmark. */

import { type Remaining, remaining } from '../../lab/page/width';
import { bytesPerElement } from '../../model/weights';
import { type PruningPlan, removedByKind, removesWidth, unitsOf } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import type { SpeedUp } from '../../report/results';
import { bytes, integer, milliseconds, quantity, removedShare, tokensPerSecond } from '../parts/format';
import { runtimeNames } from '../parts/names';
import { noDifference, overBase, speedUpStory, speedUpText } from '../parts/speedUp';
import { useLab } from '../parts/useLab';
import { ruleText } from '../plan/ruleText';
import { shownRow } from './current';

export function NowFacts({ model, plan }: { model: ModelInfo; plan: PruningPlan }) {
  const draft = useLab((state) => state.draft);
  const row = useLab(shownRow);
  const latency = row?.latency[0];
  const faster = latency ? overBase(latency) : null;
  const parameters = draft?.parameters ?? model.parameters;
  const ratio = draft?.ratio ?? 0;
  const width = bytesPerElement[model.dtype];
  return (
    <dl className="kv">
      <Fact
        label="Blocks"
        value={`${draft?.shape.layers.length ?? model.shape.layers.length} of ${model.shape.layers.length}`}
      />
      {unitsOf(plan).some(({ kind }) => kind !== 'block') && <SubBlockFacts model={model} plan={plan} />}
      {removesWidth(plan) && <WidthFacts model={model} plan={plan} />}
      <Fact
        label="Parameters"
        value={quantity(parameters)}
        {...(ratio > 0 ? { change: removedShare(ratio), good: true } : {})}
      />
      <Fact label={`Weights, ${model.dtype}`} value={bytes(parameters * width)} />
      {latency && (
        <>
          <Fact label="Decode per token" value={milliseconds(latency.decodeMsPerToken)} />
          <Fact label="Throughput" value={tokensPerSecond(latency.throughput)} />
          {faster && <SpeedUpFact speedUp={faster} />}
          <dt className="kv-note">
            {runtimeNames[latency.runtime]}, median of {latency.runs}
          </dt>
        </>
      )}
    </dl>
  );
}

/** Speed-up of a whole generation, with its confidence interval. */
function SpeedUpFact({ speedUp }: { speedUp: SpeedUp }) {
  const { value, interval, verdict } = speedUpText(speedUp);
  return (
    <>
      <dt>Speed-up</dt>
      <dd title={speedUpStory(speedUp)}>
        {value} <span className={verdict === 'faster' ? 'change better' : 'change'}>{interval}</span>
      </dd>
      {verdict === 'open' && <dt className="kv-note">{noDifference}: the interval includes 1</dt>}
      {!speedUp.inTurns && (
        <dt className="kv-note">timed separately, not alternating: memory was too small for both</dt>
      )}
    </>
  );
}

/** Numbers of remaining heads and neurons, and the rule that chose them. */
function WidthFacts({ model, plan }: { model: ModelInfo; plan: PruningPlan }) {
  const rule = plan.rule && ruleText(plan.rule);
  const { heads, kvHeads, neurons } = remaining(plan, model.shape);
  const ofAll = ({ kept, total }: Remaining) => `${integer(kept)} of ${integer(total)}`;
  return (
    <>
      {kvHeads.total < heads.total && <Fact label="KV groups" value={ofAll(kvHeads)} />}
      <Fact label="Heads" value={ofAll(heads)} />
      <Fact label="Neurons" value={ofAll(neurons)} />
      {rule && (
        <dt className="kv-note">
          Chosen by {rule.short}. {rule.sentences}
        </dt>
      )}
    </>
  );
}

/** Numbers of remaining attentions and MLPs. A block that lost one of them still counts as a block. */
function SubBlockFacts({ model, plan }: { model: ModelInfo; plan: PruningPlan }) {
  const layers = model.shape.layers.length;
  const [blocks, attentions, mlps] = removedByKind(plan);
  const left = (removed: readonly number[]) => `${layers - blocks.length - removed.length} of ${layers}`;
  return (
    <>
      <Fact label="Attentions" value={left(attentions)} />
      <Fact label="MLPs" value={left(mlps)} />
    </>
  );
}

function Fact({ label, value, change, good }: { label: string; value: string; change?: string; good?: boolean }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>
        {value} {change && <span className={good ? 'change better' : 'change'}>{change}</span>}
      </dd>
    </>
  );
}
