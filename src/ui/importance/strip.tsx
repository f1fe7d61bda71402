/** @file A grid with criteria as rows and blocks as columns; the model is below on the same columns. */
import type { CSSProperties } from 'react';
import type { UnitMode } from '../../lab/page/store';
import { removedSubBlocks } from '../../lab/page/subBlocks';
import { type PruningPlan, removedLayers } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { LazyScoresChart } from '../charts/lazy';
import { chartHeights } from '../charts/sizes';
import { SearchRows } from '../searches/searchRows';
import { menuOf } from '../strip/menu';
import { type Ranked, useProtected } from '../strip/useStrip';
import { AllCriteriaRow } from './allCriteria';
import { BlockRow } from './blockRow';
import { CriterionRow } from './criterionRow';
import { SubBlockRow } from './subBlockRow';

interface Props {
  model: ModelInfo;
  plan: PruningPlan;
  mode: UnitMode;
  ranked: Ranked | null;
}

/** With this many blocks or more, the cells are too narrow for a word. */
const narrowFrom = 20;

export function Strip({ model, plan, mode, ranked }: Props) {
  const layers = model.shape.layers.length;
  const removedBlocks = new Set(removedLayers(plan, 'block'));
  const removed = mode === 'blocks' ? removedBlocks : removedSubBlocks(plan);
  const kept = new Set(useProtected());
  const narrow = layers >= narrowFrom;
  return (
    <div className="strip-scroll">
      <div className={narrow ? 'strip narrow' : 'strip'} style={{ '--blocks': layers } as CSSProperties}>
        <div className="strip-row index-row" aria-hidden="true">
          <div className="strip-label" />
          {Array.from({ length: layers }, (_, block) => (
            <div
              // biome-ignore lint/suspicious/noArrayIndexKey: a block is its index
              key={block}
              className={`index${kept.has(block) ? ' kept' : ''}${removedBlocks.has(block) ? ' removed' : ''}`}
            >
              {block}
            </div>
          ))}
          <div className="strip-order">removed first</div>
        </div>
        <div role="radiogroup" aria-label="Criterion that colours the model and proposes cuts">
          {menuOf(mode).map((item) => (
            <CriterionRow key={item.id} item={item} mode={mode} layers={layers} removed={removed} />
          ))}
        </div>
        {mode === 'blocks' && <AllCriteriaRow />}
        <SearchRows shape={model.shape} plan={plan} />
        {mode === 'blocks' ? (
          <BlockRow model={model} plan={plan} ranked={ranked} />
        ) : (
          <SubBlockRow model={model} plan={plan} ranked={ranked} />
        )}
        {ranked ? (
          <LazyScoresChart ranked={ranked} layers={layers} />
        ) : (
          <div className="chart-room scores scores-wait" style={{ height: chartHeights.scores }}>
            The scores appear here as bars once a criterion is measured.
          </div>
        )}
      </div>
    </div>
  );
}
