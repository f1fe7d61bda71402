/** @file What each variant removes: the model once more for every variant, on the strip's columns. */
import { useState } from 'react';
import type { LayerShape } from '../../model/shape';
import { type PruningPlan, removedByKind } from '../../pruning/plan';
import type { ModelRecord } from '../../report/record';
import { attentionShare } from '../strip/ranks';
import { remainsOf } from '../strip/remains';

/** So many variants are shown at first. */
const shownFirst = 12;

export function VariantStrips({ record }: { record: ModelRecord }) {
  const [all, setAll] = useState(false);
  const variants = record.comparison.filter(({ variant }) => variant !== 'base');
  const shown = all ? variants : variants.slice(0, shownFirst);
  const { shape } = record.model;
  if (variants.length === 0) return null;
  return (
    <section className="variant-strips" aria-label="What each variant removes">
      <h3>What each variant removes</h3>
      {shown.map(({ variant, name, plan }) => (
        <div key={variant} className="strip-row variant-row">
          <div className="strip-label" title={name}>
            <span className="variant-name">{name}</span>
          </div>
          {shape.layers.map((layer, block) => (
            <Block key={layer.source} layer={layer} block={block} plan={plan} share={attentionShare(shape, block)} />
          ))}
          <div className="strip-order" />
        </div>
      ))}
      {shown.length < variants.length && (
        <button type="button" className="button small" onClick={() => setAll(true)}>
          Show all {variants.length} variants
        </button>
      )}
      <p className="hint variant-key">
        <span className="key kept" /> kept <span className="key out" /> removed · attention above, MLP below
      </p>
    </section>
  );
}

interface BlockProps {
  layer: LayerShape;
  block: number;
  plan: PruningPlan;
  /** Of the attention, of the block's parameters, 0…1. */
  share: number;
}

function Block({ layer, block, plan, share }: BlockProps) {
  const [blocks, attentions, mlps] = removedByKind(plan);
  if (blocks.includes(block)) return <div className="unit out" title={`block ${block} removed`} />;
  const parts = [
    { kind: 'attention', grow: share, removed: attentions.includes(block) },
    { kind: 'mlp', grow: 1 - share, removed: mlps.includes(block) },
  ] as const;
  return (
    <div className="unit">
      {parts.map(({ kind, grow, removed }) => {
        const background = removed ? null : remainsOf(kind, plan, layer, block, 'var(--kept)');
        return (
          <span
            key={kind}
            className={removed ? 'out' : background ? 'narrowed' : 'kept'}
            style={{ flexGrow: grow, ...(background && { background }) }}
          />
        );
      })}
    </div>
  );
}
