/** @file Which variants are trained: the plan that the page shows, or several, one after the other. */
import { shownVariant } from '../../lab/page/shownVariant';
import { Disclosure } from '../parts/disclosure';
import { isWhole, planText } from '../parts/names';
import { useLab } from '../parts/useLab';

interface Props {
  /** Null stands for the plan that the page shows. */
  chosen: readonly (string | null)[];
  onChange: (chosen: readonly (string | null)[]) => void;
}

export function VariantChoice({ chosen, onChange }: Props) {
  const plan = useLab((state) => state.plan);
  const own = useLab(({ variants, ownWeights }) => variants.find(({ id }) => id === ownWeights));
  const shape = useLab((state) => state.model?.shape ?? null);
  const variants = useLab((state) => state.variants);
  const shown = useLab(shownVariant);
  const others = variants.filter(({ id, patchLost }) => id !== 'base' && id !== shown && !patchLost);
  const toggle = (id: string | null): void =>
    onChange(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  const box = (id: string | null, label: string) => (
    <label className="check" key={id ?? 'shown'}>
      <input type="checkbox" checked={chosen.includes(id)} onChange={() => toggle(id)} />
      {label}
    </label>
  );
  const name = plan ? (own?.name ?? planText(plan, shape)) : '';
  return (
    <fieldset className="retrain-line">
      <legend className="retrain-legend">Variant</legend>
      <div className="retrain-variants">
        {box(null, `shown above: ${name}`)}
        {plan && isWhole(plan) && !own && chosen.includes(null) && (
          <p className="hint">Nothing is removed: cut a block first, or train the original model on another text.</p>
        )}
        {others.length > 0 && (
          <Disclosure summary="Train several variants, one after the other">
            <div className="retrain-others">{others.map(({ id, name: other }) => box(id, other))}</div>
          </Disclosure>
        )}
      </div>
    </fieldset>
  );
}
