/** @file The slide with the removed units: one strip of blocks per variant. */
import { useContext } from 'react';
import { useStore } from 'zustand';
import type { ModelShape } from '../../model/shape';
import { type PruningPlan, removedByKind } from '../../pruning/plan';
import { percent, plural } from '../parts/format';
import { planText } from '../parts/names';
import { LabStoreContext, useLab } from '../parts/useLab';
import { attentionShare } from '../strip/ranks';
import { remainsOf } from '../strip/remains';
import { SlideFrame } from './frame';
import { removedRows } from './slides';

/** Strips that fit below each other. */
const most = 6;

export function RemovedSlide() {
  const model = useLab((state) => state.model);
  const state = useStore(useContext(LabStoreContext));
  if (!model) return null;
  const all = removedRows(state);
  const rows = removedRows(state, most);
  const [only] = rows;
  return (
    <SlideFrame
      title="What was removed"
      note={
        <>
          Attention above, MLP below; heights show parameters.
          {rows.length < all.length && ` ${rows.length} of ${plural(all.length, 'variant')}.`}
        </>
      }
    >
      <div className={rows.length === 1 ? 'strips alone' : 'strips'}>
        <Numbers layers={model.shape.layers.length} />
        {rows.map(({ key, name, plan, kept }) => (
          <div className="strip-line" key={key}>
            <b className="strip-name">{name}</b>
            <StripPicture shape={model.shape} plan={plan} name={name} />
            <span className="strip-kept">{percent(kept)}</span>
          </div>
        ))}
      </div>
      {rows.length === 1 && only && (
        <p className="lead">
          {capital(planText(only.plan, model.shape))}, the model keeps {percent(only.kept)} of its parameters.
        </p>
      )}
    </SlideFrame>
  );
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** The numbers of the blocks; every second or fifth where they would touch. */
function Numbers({ layers }: { layers: number }) {
  const step = layers > 48 ? 10 : layers > 24 ? 5 : layers > 16 ? 2 : 1;
  return (
    <div className="strip-line numbers" aria-hidden="true">
      <span className="strip-name" />
      <div className="blocks">
        {Array.from({ length: layers }, (_, block) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a block is its index
          <span key={block}>{block % step === 0 ? block : ''}</span>
        ))}
      </div>
      <span className="strip-kept">kept</span>
    </div>
  );
}

function StripPicture({ shape, plan, name }: { shape: ModelShape; plan: PruningPlan; name: string }) {
  const [blocks, attentions, mlps] = removedByKind(plan);
  return (
    <div className="blocks" role="img" aria-label={`${name}: ${planText(plan, shape)}`}>
      {shape.layers.map((layer, block) => {
        const share = attentionShare(shape, block);
        const part = (kind: 'attention' | 'mlp', grow: number, removed: boolean) => {
          const left = removed ? null : remainsOf(kind, plan, layer, block, `var(--${kind})`);
          return (
            <i
              className={`${kind}${removed ? ' cut' : ''}`}
              style={{ flexGrow: grow, ...(left === null ? {} : { background: left }) }}
            />
          );
        };
        if (blocks.includes(block)) return <span className="column cut" key={layer.source} />;
        return (
          <span className="column" key={layer.source}>
            {part('attention', share, attentions.includes(block))}
            {part('mlp', 1 - share, mlps.includes(block))}
          </span>
        );
      })}
    </div>
  );
}
