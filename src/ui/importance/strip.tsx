/** @file A grid with criteria as rows and blocks as columns; the model is below on the same columns. */
import type { CSSProperties } from 'react';
import type { DepthMode } from '../../lab/page/store';
import { removedSubBlocks } from '../../lab/page/subBlocks';
import { type PruningPlan, removedLayers } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import { LazyScoresChart } from '../charts/lazy';
import { chartHeights } from '../charts/sizes';
import { SearchRows } from '../searches/searchRows';
import { IndexRow } from '../strip/indexRow';
import { menuOf } from '../strip/menu';
import { isNarrow } from '../strip/narrow';
import { type Ranked, useProtected } from '../strip/useStrip';
import { AllCriteriaRow } from './allCriteria';
import { BlockRow } from './blockRow';
import { CriterionRow } from './criterionRow';
import { SubBlockRow } from './subBlockRow';

interface Props {
  model: ModelInfo;
  plan: PruningPlan;
  mode: DepthMode;
  ranked: Ranked | null;
}

export function Strip({ model, plan, mode, ranked }: Props) {
  const layers = model.shape.layers.length;
  const removed = mode === 'blocks' ? new Set(removedLayers(plan, 'block')) : removedSubBlocks(plan);
  const kept = new Set(useProtected());
  const narrow = isNarrow(layers);
  return (
    <div className="strip-scroll">
      <div className={narrow ? 'strip narrow' : 'strip'} style={{ '--blocks': layers } as CSSProperties}>
        <IndexRow layers={layers} plan={plan} kept={kept} note="removed first" />
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
