/** @file The model as one button per block, on the strip's columns. A click removes or restores the block. */

import { type KeyboardEvent, useRef, useState } from 'react';
import { commands } from '../../lab/page/app';
import type { LayerShape } from '../../model/shape';
import { type PruningPlan, removedByKind, removedLayers } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { percent } from '../parts/format';
import { rampColour } from '../strip/colourScale';
import { attentionShare, ranksOf, scoreText } from '../strip/ranks';
import { remainsOf } from '../strip/remains';
import type { Ranked } from '../strip/useStrip';

interface Props {
  model: ModelInfo;
  plan: PruningPlan;
  ranked: Ranked | null;
}

export function BlockRow({ model, plan, ranked }: Props) {
  const { layers } = model.shape;
  const [current, setCurrent] = useState(0);
  const row = useRef<HTMLFieldSetElement>(null);
  const ranks = ranksOf(ranked?.order ?? []);
  const last = layers.length - 1;
  // A newly opened model may have fewer blocks than the focused index.
  const reachable = Math.min(current, last);

  const focus = (index: number): void => {
    setCurrent(index);
    row.current?.querySelectorAll('button')[index]?.focus();
  };
  const removed = removedLayers(plan, 'block');
  const walk = (event: KeyboardEvent): void => {
    const target = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: last }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    focus(Math.min(last, Math.max(0, target)));
  };

  return (
    <fieldset className="strip-row block-row" aria-label="Blocks of the model" ref={row} onKeyDown={walk}>
      <div className="strip-label model-label">
        <b>The model</b>
        <span className="hint">{ranked ? `by ${ranked.label.toLowerCase()}` : 'click to cut'}</span>
      </div>
      {layers.map((layer, block) => {
        const about = ranked ? scoreText(ranked, block, ranks.get(block)) : 'not scored yet';
        const share = attentionShare(model.shape, block);
        return (
          <BlockButton
            key={layer.source}
            block={block}
            layer={layer}
            plan={plan}
            attention={share}
            position={ranked?.scale.positions[block] ?? null}
            about={`${about} · attention ${percent(share)}, MLP ${percent(1 - share)} of its parameters`}
            lastOne={removed.length >= last && !removed.includes(block)}
            tabIndex={block === reachable ? 0 : -1}
            onFocus={() => setCurrent(block)}
          />
        );
      })}
      <div className="strip-order model-parts">attention above, MLP below; height shows parameters</div>
    </fieldset>
  );
}

interface ButtonProps {
  block: number;
  layer: LayerShape;
  plan: PruningPlan;
  /** Attention's share of the block's parameters, 0…1. */
  attention: number;
  position: number | null;
  about: string;
  /** The only remaining block, which cannot be removed. */
  lastOne: boolean;
  tabIndex: number;
  onFocus: () => void;
}

function BlockButton({ block, layer, plan, attention, position, about, lastOne, tabIndex, onFocus }: ButtonProps) {
  const [blocks, attentions, mlps] = removedByKind(plan);
  const cut = blocks.includes(block);
  const background = rampColour(position);
  const part = (name: 'attention' | 'mlp', share: number, removed: boolean) => {
    const left = removed ? null : remainsOf(name, plan, layer, block, background);
    return (
      <span
        className={`part ${name}${removed ? ' removed' : left === null ? '' : ' narrowed'}`}
        style={{ flexGrow: share, ...(removed ? {} : { background: left ?? background }) }}
      />
    );
  };
  return (
    <button
      type="button"
      className={cut ? 'block cut' : 'block'}
      aria-pressed={cut}
      aria-disabled={lastOne}
      aria-label={`Cut block ${block}`}
      title={`Block ${block}: ${lastOne ? 'the last block cannot be cut' : about}`}
      tabIndex={tabIndex}
      onFocus={onFocus}
      onClick={() => commands.toggleBlock(block)}
    >
      {cut ? (
        <span className="cut-sign">
          <em className="is-cut">cut</em>
          <em className="will-restore">restore</em>
        </span>
      ) : (
        <>
          {part('attention', attention, attentions.includes(block))}
          {part('mlp', 1 - attention, mlps.includes(block))}
        </>
      )}
    </button>
  );
}
