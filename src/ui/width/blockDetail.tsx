/** @file One block in detail: its heads large enough for a finger, its neurons as a profile of their scores, and a slider. */
import { type CSSProperties, useMemo } from 'react';
import { commands } from '../../lab/page/app';
import { headKind, headUnits, isRemoved, keptHeads, keptNeurons, neuronStep } from '../../lab/page/width';
import { profileOf } from '../../lab/page/widthScores';
import { whyHeadsStay } from '../../model/headStructures';
import type { PruningPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { integer } from '../parts/format';
import { RangeSlider } from '../parts/rangeSlider';
import { useLab } from '../parts/useLab';
import { rampColour } from '../strip/colourScale';
import type { Place } from './headGrid';
import { labelOfWidth } from './widthLabels';
import type { WidthRanked } from './widthRanked';
import { groupText, headsLeftText, headsText, kindName, neuronsText, profileText, unitTitle } from './words';

interface Props {
  model: ModelInfo;
  plan: PruningPlan;
  /** The method that colours. */
  ranked: WidthRanked | null;
  /** The chosen method, whose order of neurons counts; null until it is measured. */
  chosen: WidthRanked | null;
  /** The heads or the MLP that the sentence is about. */
  at: Place;
  /** The block that the buttons and the slider edit. */
  block: number;
}

const sliderId = 'neurons-that-stay';

/** Moves the focus to the slider of the neurons. */
export function focusNeurons(): void {
  document.getElementById(sliderId)?.querySelector('input')?.focus();
}

export function BlockDetail({ model, plan, ranked, chosen, at, block }: Props) {
  const layer = model.shape.layers[block]!;
  const attention = !isRemoved(plan, 'attention', block) && layer.heads > 0;
  const mlp = !isRemoved(plan, 'mlp', block) && layer.ffn > 0;
  return (
    <fieldset className="block-detail" aria-label={`Block ${block} in detail`}>
      <p className="detail-line">{sentence(model, plan, ranked, at)}</p>
      <div className="detail-parts">
        <div className="detail-heads">
          <h3>
            Block {block}: {attention ? headsLeftText(layer, keptHeads(plan, layer, block)) : 'the attention is cut'}
          </h3>
          {attention && <HeadButtons model={model} plan={plan} ranked={ranked} block={block} />}
        </div>
        <div className="detail-mlp">
          {mlp ? (
            <Neurons model={model} plan={plan} ranked={chosen} block={block} />
          ) : (
            <h3>Block {block}: the MLP is cut</h3>
          )}
        </div>
      </div>
    </fieldset>
  );
}

/** What the page says of the heads or the MLP under the pointer or in focus. */
function sentence(model: ModelInfo, plan: PruningPlan, ranked: WidthRanked | null, { block, unit }: Place) {
  const layer = model.shape.layers[block]!;
  if (isRemoved(plan, unit === 'mlp' ? 'mlp' : 'attention', block)) {
    const what = plan.removeBlocks.includes(block)
      ? 'Block'
      : unit === 'mlp'
        ? 'The MLP of block'
        : 'The attention of block';
    return <>{`${what} ${block} is cut. A click restores it.`}</>;
  }
  if (unit === 'mlp') {
    return (
      <>
        <b>MLP of block {block}</b>: {neuronsText(keptNeurons(plan, layer, block), layer.ffn)}. Neurons by{' '}
        {profileText(ranked, block)}.
      </>
    );
  }
  const title = unitTitle(layer, block, unit);
  const group = groupText(layer, unit);
  const kept = keptHeads(plan, layer, block);
  const state = headUnits(layer)[unit]?.some((head) => kept.includes(head)) ? '' : ', cut';
  return (
    <>
      <b>{title.charAt(0).toUpperCase() + title.slice(1)}</b>
      {group && ` (${group})`}
      {state}: {headsText(ranked, block, unit)}.
    </>
  );
}

function HeadButtons({ model, plan, ranked, block }: Pick<Props, 'model' | 'plan' | 'ranked' | 'block'>) {
  const layer = model.shape.layers[block]!;
  const kept = keptHeads(plan, layer, block);
  const units = headUnits(layer);
  const left = units.filter((heads) => heads.some((head) => kept.includes(head))).length;
  const why = whyHeadsStay(layer);
  const name = kindName[headKind(layer)];
  return (
    <>
      <fieldset className="head-buttons" aria-label={`Heads of block ${block}`}>
        {units.map((heads, unit) => {
          const out = heads.every((head) => !kept.includes(head));
          return (
            <button
              // biome-ignore lint/suspicious/noArrayIndexKey: a unit is its position
              key={unit}
              type="button"
              className={out ? 'head-button out' : 'head-button'}
              aria-pressed={out}
              disabled={why !== null || (!out && left === 1)}
              aria-label={`${name} ${unit}`}
              title={headsText(ranked, block, unit)}
              onClick={() => commands.toggleHeads(block, unit)}
            >
              <span className="head-colours">
                {heads.map((head) => (
                  <i
                    key={head}
                    className={kept.includes(head) ? '' : 'out'}
                    style={{
                      background: kept.includes(head)
                        ? rampColour(ranked?.headPositions[block]?.[head] ?? null)
                        : undefined,
                    }}
                  />
                ))}
              </span>
              {unit}
            </button>
          );
        })}
      </fieldset>
      {why !== null ? (
        <p className="hint" role="status">
          Single heads cannot be removed: {why} To remove the whole attention, change to “Attention / MLP”.
        </p>
      ) : (
        left === 1 && (
          <p className="hint" role="status">
            The last {name} stays. To remove the whole attention, change to “Attention / MLP”.
          </p>
        )
      )}
    </>
  );
}

/** Bars of the profile. */
const bars = 48;

function Neurons({ model, plan, ranked, block }: Pick<Props, 'model' | 'plan' | 'ranked' | 'block'>) {
  const { ffn } = model.shape.layers[block]!;
  const kept = keptNeurons(plan, model.shape.layers[block]!, block);
  const step = neuronStep(ffn);
  const method = useLab((state) => state.widthMethod);
  const change = (by: number) => (
    <button
      type="button"
      className="button small"
      disabled={!ranked || (by < 0 ? kept <= 1 : kept >= ffn)}
      aria-label={by < 0 ? `${step} neurons fewer` : `${step} neurons more`}
      onClick={() => commands.keepNeurons(block, kept + by)}
    >
      {by < 0 ? '−' : '+'}
      {step}
    </button>
  );
  return (
    <>
      {ranked && <Profile ranked={ranked} block={block} share={kept / ffn} />}
      <div className="neurons" id={sliderId}>
        <RangeSlider
          value={kept}
          most={ffn}
          disabled={!ranked}
          valueText={(count) => `${count} of ${ffn} neurons of block ${block} stay`}
          onRest={(count) => commands.keepNeurons(block, count)}
        >
          {(count) => (
            <>
              <output>{integer(Math.max(1, count))}</output> of {integer(ffn)} neurons stay
            </>
          )}
        </RangeSlider>
        {change(-step)}
        {change(step)}
      </div>
      <p className="hint">
        {ranked
          ? `The lowest-scored by ${ranked.label} are removed first.`
          : `Measure ${labelOfWidth(method)} first: its scores decide which neurons are removed.`}
      </p>
    </>
  );
}

/** The neurons by descending score: the ones that stay on the left. */
function Profile({ ranked, block, share }: { ranked: WidthRanked; block: number; share: number }) {
  const { scores, neuronScale } = ranked;
  const { log, domain } = neuronScale;
  const heights = useMemo(() => {
    const place = (score: number): number => (log ? Math.log(Math.max(score, domain[0])) : score);
    const [low, high] = [place(domain[0]), place(domain[1])];
    return profileOf(scores.neurons[block] ?? new Float64Array(), bars)
      .toReversed()
      .map((score) => Math.min(1, Math.max(0, high > low ? (place(score) - low) / (high - low) : 0.5)));
  }, [scores, block, log, domain]);
  return (
    <div className="profile" aria-hidden="true">
      {heights.map((height, bar) => (
        <i
          // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its position
          key={bar}
          className={(bar + 0.5) / bars < share ? '' : 'out'}
          style={{ height: `${12 + 88 * height}%`, '--colour': rampColour(height) } as CSSProperties}
        />
      ))}
    </div>
  );
}
