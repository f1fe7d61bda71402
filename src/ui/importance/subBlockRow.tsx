/**
 * @file The model as sub-blocks: for each block a button for its attention and one for its MLP, on the strip's columns.
 */

import { type KeyboardEvent, useRef, useState } from 'react';
import { indexOf } from '../../importance/numbering';
import { commands } from '../../lab/page/app';
import { removedSubBlocks } from '../../lab/page/subBlocks';
import type { LayerShape } from '../../model/shape';
import { type SubBlock, subBlockKinds } from '../../model/unit';
import type { PruningPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { percent } from '../parts/format';
import { rampColour } from '../strip/colourScale';
import { attentionShare, ranksOf, scoreText } from '../strip/ranks';
import { remainsOf } from '../strip/remains';
import type { Ranked } from '../strip/useStrip';
import { walked } from '../strip/walk';

interface Props {
  model: ModelInfo;
  plan: PruningPlan;
  ranked: Ranked | null;
}

export function SubBlockRow({ model, plan, ranked }: Props) {
  const { layers } = model.shape;
  const [current, setCurrent] = useState<SubBlock>({ layer: 0, kind: 'attention' });
  const row = useRef<HTMLFieldSetElement>(null);
  const ranks = ranksOf(ranked?.order ?? []);
  const cut = removedSubBlocks(plan);
  // A newly opened model may have fewer blocks than the focused index.
  const reachable: SubBlock = { layer: Math.min(current.layer, layers.length - 1), kind: current.kind };

  const walk = (event: KeyboardEvent): void => {
    const target = walked(reachable, event.key, layers.length);
    if (!target) return;
    event.preventDefault();
    setCurrent(target);
    row.current?.querySelectorAll('button')[indexOf('half', target)]?.focus();
  };

  return (
    <fieldset
      className="strip-row block-row sub-block-row"
      aria-label="Attention and MLP of every block"
      ref={row}
      onKeyDown={walk}
    >
      <div className="strip-label model-label">
        <b>The model</b>
        <span className="hint">{ranked ? `by ${ranked.label.toLowerCase()}` : 'click to cut'}</span>
      </div>
      {layers.map((layer, block) => {
        const share = attentionShare(model.shape, block);
        return (
          <div className="sub-blocks" key={layer.source}>
            {subBlockKinds.map((kind) => {
              const index = indexOf('half', { kind, layer: block });
              const about = ranked ? scoreText(ranked, index, ranks.get(index)) : 'not scored yet';
              const size = kind === 'attention' ? share : 1 - share;
              return (
                <SubBlockButton
                  key={kind}
                  plan={plan}
                  layer={layer}
                  subBlock={{ kind, layer: block }}
                  cut={cut.has(index)}
                  size={size}
                  position={ranked?.scale.positions[index] ?? null}
                  about={`${about} · ${percent(size)} of the block’s parameters`}
                  lastOne={cut.size === 2 * layers.length - 1 && !cut.has(index)}
                  tabIndex={index === indexOf('half', reachable) ? 0 : -1}
                  onFocus={setCurrent}
                />
              );
            })}
          </div>
        );
      })}
      <div className="strip-order model-parts">attention above, MLP below; height shows parameters</div>
    </fieldset>
  );
}

interface ButtonProps {
  plan: PruningPlan;
  layer: LayerShape;
  subBlock: SubBlock;
  cut: boolean;
  /** The sub-block's share of the block's parameters, 0…1. */
  size: number;
  position: number | null;
  about: string;
  /** The only remaining sub-block, which cannot be removed. */
  lastOne: boolean;
  tabIndex: number;
  onFocus: (subBlock: SubBlock) => void;
}

function SubBlockButton({
  plan,
  layer,
  subBlock,
  cut,
  size,
  position,
  about,
  lastOne,
  tabIndex,
  onFocus,
}: ButtonProps) {
  const name = subBlock.kind === 'mlp' ? 'MLP' : 'attention';
  const background = rampColour(position);
  const left = remainsOf(subBlock.kind, plan, layer, subBlock.layer, background);
  return (
    <button
      type="button"
      className={cut ? 'block sub-block cut' : 'block sub-block'}
      style={{ flexGrow: size }}
      aria-pressed={cut}
      aria-disabled={lastOne}
      aria-label={`Cut ${name} of block ${subBlock.layer}`}
      title={`${subBlock.kind === 'mlp' ? 'MLP' : 'Attention'} of block ${subBlock.layer}: ${lastOne ? 'the last sub-block cannot be cut' : about}`}
      tabIndex={tabIndex}
      onFocus={() => onFocus(subBlock)}
      onClick={() => commands.toggleSubBlock(subBlock)}
    >
      {cut ? (
        <span className="cut-sign">
          <em className="is-cut">cut</em>
          <em className="will-restore">restore</em>
        </span>
      ) : (
        <span className={left ? 'part narrowed' : 'part'} style={{ background: left ?? background }} />
      )}
    </button>
  );
}
