/** @file The importance of blocks and what each variant removes, on one strip that is only read. */
import { type CSSProperties, type ReactNode, useContext } from 'react';
import { widthMethods } from '../../importance/methods';
import { scoredUnits } from '../../lab/page/recordState';
import type { DepthMode, UnitMode } from '../../lab/page/store';
import type { ModelRecord } from '../../report/record';
import { LazyScoresChart } from '../charts/lazy';
import { ScoresTable } from '../importance/scoresTable';
import { Segmented } from '../parts/segmented';
import { LabStoreContext, useLab } from '../parts/useLab';
import { SetCells } from '../searches/evolutionRow';
import { evolutionItem, searchMenu } from '../searches/searchMenu';
import { StepCells } from '../searches/searchRows';
import { stepShort } from '../searches/steps';
import { Columns, ScoreCell } from '../strip/cell';
import { Legend } from '../strip/legend';
import { type MenuItem, menuOf } from '../strip/menu';
import { isNarrow } from '../strip/narrow';
import { firstOut, ranksOf } from '../strip/ranks';
import { useRanked, useShownCriterion } from '../strip/useStrip';
import { Cells as WidthCells } from '../width/methodRow';
import { useWidthRanked } from '../width/useWidth';
import { unitPlace } from '../width/words';
import { VariantStrips } from './variantStrips';

const unitNames: Readonly<Record<UnitMode, string>> = {
  blocks: 'Blocks',
  subBlocks: 'Attention / MLP',
  width: 'Heads and neurons',
};

interface Props {
  record: ModelRecord;
  /** The chosen criterion alone, without variants and searches. */
  compact?: boolean;
  /** Also the chosen criterion's scores as bars and as a table. */
  bars?: boolean;
}

export function StripCard({ record, compact = false, bars = true }: Props) {
  const store = useContext(LabStoreContext);
  const mode = useLab((state) => state.unitMode);
  const modes = scoredUnits(store.getState());
  const { length: layers } = record.model.shape.layers;
  if (modes.length === 0 && record.comparison.length < 2) return null;
  const title = modes.length > 0 ? 'Which blocks matter?' : 'What each variant removes';
  const className = ['strip', 'read', isNarrow(layers) ? 'narrow' : ''].join(' ').trim();
  return (
    <section className="card report-strip" aria-labelledby="strip-title">
      <div className="bar">
        <h2 id="strip-title">{title}</h2>
        <span className="spring" />
        {modes.length > 1 && !compact && (
          <Segmented
            legend="Units that are scored"
            options={modes.map((value) => ({ value, label: unitNames[value] }))}
            value={mode}
            onChange={(unitMode) => store.setState({ unitMode })}
          />
        )}
      </div>
      <div className={className} style={{ '--blocks': layers } as CSSProperties}>
        <Numbers layers={layers} />
        {modes.length > 0 && <Rows mode={mode} layers={layers} compact={compact} />}
        {(!compact || modes.length === 0) && <VariantStrips record={record} />}
      </div>
      {mode === 'width' ? <WidthKey /> : <DepthKey mode={mode} bars={bars} />}
    </section>
  );
}

function Rows({ mode, layers, compact }: { mode: UnitMode; layers: number; compact: boolean }) {
  if (mode === 'width') return <WidthRows layers={layers} />;
  return compact ? <ShownRow mode={mode} layers={layers} /> : <DepthRows mode={mode} layers={layers} />;
}

/** The row of the criterion that the bars show; searches where no criterion is measured. */
function ShownRow({ mode, layers }: { mode: DepthMode; layers: number }) {
  const shown = useShownCriterion(mode);
  const item = menuOf(mode).find(({ id }) => id === shown);
  const measured = useRanked(mode, shown) !== null;
  return item && measured ? <ScoreRow item={item} mode={mode} layers={layers} /> : <SearchRows layers={layers} />;
}

/** The numbers of the blocks: fewer where they would touch. */
function Numbers({ layers }: { layers: number }) {
  const step = layers > 60 ? 10 : layers > 30 ? 5 : layers > 18 ? 2 : 1;
  return (
    <div className="strip-row index-row" aria-hidden="true">
      <div className="strip-label">block</div>
      {Array.from({ length: layers }, (_, block) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a block is its index
        <div key={block} className="index">
          {block % step === 0 ? block : ''}
        </div>
      ))}
      <div className="strip-order">removed first</div>
    </div>
  );
}

interface RowProps {
  label: ReactNode;
  title?: string;
  chosen?: boolean;
  /** Behind the cells: the units that would go first. */
  order?: ReactNode;
  children: ReactNode;
}

function Row({ label, title, chosen = false, order, children }: RowProps) {
  return (
    <div className={chosen ? 'strip-row criterion-row chosen' : 'strip-row criterion-row'}>
      {label && (
        <div className="strip-label" title={title}>
          {label}
        </div>
      )}
      {children}
      <div className="strip-order">{order}</div>
    </div>
  );
}

function DepthRows({ mode, layers }: { mode: DepthMode; layers: number }) {
  return (
    <>
      {menuOf(mode).map((item) => (
        <ScoreRow key={item.id} item={item} mode={mode} layers={layers} />
      ))}
      {mode === 'blocks' && <SearchRows layers={layers} />}
    </>
  );
}

function ScoreRow({ item, mode, layers }: { item: MenuItem; mode: DepthMode; layers: number }) {
  const ranked = useRanked(mode, item.id);
  const chosen = useShownCriterion(mode) === item.id;
  if (!ranked) return null;
  const ranks = ranksOf(ranked.order);
  const cell = (index: number) => (
    <ScoreCell key={index} ranked={ranked} index={index} rank={ranks.get(index)} removed={false} />
  );
  const words = firstOut(ranked.order, mode, mode === 'blocks' ? 4 : 3);
  const wide = ranked.scores.window > 1 ? `, n = ${ranked.scores.window}` : '';
  return (
    <Row label={`${item.label}${wide}`} title={item.meaning} chosen={chosen} order={words}>
      <Columns layers={layers} mode={mode} cell={cell} />
      <span className="sr-only">{`By ${item.label}, removed first: ${words}`}</span>
    </Row>
  );
}

/** Searches that the report has, with their steps on the same columns. */
function SearchRows({ layers }: { layers: number }) {
  const searches = useLab((state) => state.searches);
  const evolution = useLab((state) => state.evolution);
  return (
    <>
      {searchMenu.map((item) => {
        const result = searches[item.id];
        if (!result || result.steps.length === 0) return null;
        const order = result.steps.slice(0, 4).map(stepShort).join(' · ');
        return (
          <Row key={item.id} label={`${item.label}, step by step`} title={item.meaning} order={order}>
            <StepCells item={item} layers={layers} steps={result.steps} complete={result.complete} />
          </Row>
        );
      })}
      {evolution && evolutionItem && evolution.removed.length > 0 && (
        <Row
          label={`${evolutionItem.label}, best set`}
          title={evolutionItem.meaning}
          order={evolution.removed.slice(0, 4).map(stepShort).join(' · ')}
        >
          <SetCells layers={layers} shown={evolution} complete={evolution.complete} />
        </Row>
      )}
    </>
  );
}

function WidthRows({ layers }: { layers: number }) {
  return widthMethods.map(({ id }) => <WidthRow key={id} id={id} layers={layers} />);
}

function WidthRow({ id, layers }: { id: (typeof widthMethods)[number]['id']; layers: number }) {
  const ranked = useWidthRanked(id);
  if (!ranked) return null;
  return (
    <Row label={ranked.label} title={ranked.meaning} order={ranked.order.slice(0, 3).map(unitPlace).join(' · ')}>
      <WidthCells ranked={ranked} layers={layers} />
    </Row>
  );
}

function DepthKey({ mode, bars }: { mode: DepthMode; bars: boolean }) {
  const layers = useLab((state) => state.model?.shape.layers.length ?? 0);
  const shown = useRanked(mode, useShownCriterion(mode));
  if (!shown) return null;
  return (
    <>
      <Legend ranked={shown} />
      {bars && (
        <>
          <div className="strip read bars" style={{ '--blocks': layers } as CSSProperties}>
            <LazyScoresChart ranked={shown} layers={layers} />
          </div>
          <ScoresTable ranked={shown} />
        </>
      )}
    </>
  );
}

function WidthKey() {
  return (
    <div className="legend">
      <span className="legend-ramp">
        safe to cut <span className="ramp" /> essential
      </span>
      <p className="meaning">Each column shows the heads of a block above its neurons, which are sorted by score.</p>
    </div>
  );
}
