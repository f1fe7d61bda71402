/** @file Settings of a training that most users leave as they are. */
import type { RetrainMethod } from '../../pruning/variant';
import { type Schedule, schedules } from '../../pruning/variant';
import { Disclosure } from '../parts/disclosure';
import { NumberField } from '../parts/numberField';
import { RealField } from '../parts/realField';
import { useLab } from '../parts/useLab';
import type { HeldOutChoice, Settings } from './form';
import { trainsFactors } from './methods';

interface Props {
  method: RetrainMethod;
  settings: Settings;
  /** Most tokens of a row. */
  context: number;
  onChange: (change: Partial<Settings>) => void;
}

const scheduleNames: Readonly<Record<Schedule, string>> = {
  constant: 'constant',
  linear: 'linear decay',
  cosine: 'cosine decay',
};

export function Advanced({ method, settings, context, onChange }: Props) {
  const s = settings;
  return (
    <Disclosure summary="Advanced">
      <div className="retrain-advanced">
        {trainsFactors(method) && (
          <Group name="LoRA">
            <NumberField label="rank" value={s.rank} least={1} most={4096} onChange={(rank) => onChange({ rank })} />
            <RealField label="alpha" value={s.alpha} least={0} most={1e6} onChange={(alpha) => onChange({ alpha })} />
            <RealField
              label="dropout"
              value={s.dropout}
              least={0}
              most={0.99}
              onChange={(dropout) => onChange({ dropout })}
            />
            {method === 'full+lora' && (
              <RealField
                label="learning rate of the factors"
                value={s.loraLearningRate}
                least={1e-8}
                most={1}
                onChange={(loraLearningRate) => onChange({ loraLearningRate })}
              />
            )}
          </Group>
        )}
        {method === 'distill' && (
          <Group name="Distillation">
            <RealField
              label="temperature"
              value={s.temperature}
              least={0.001}
              most={1000}
              onChange={(temperature) => onChange({ temperature })}
            />
            <RealField
              label="weight of the divergence"
              value={s.weight}
              least={0}
              most={1}
              onChange={(weight) => onChange({ weight })}
            />
          </Group>
        )}
        <Group name="Learning rate">
          <label className="number-field">
            <span>schedule</span>
            <select
              value={s.schedule}
              onChange={({ target }) => {
                const schedule = schedules.find((each) => each === target.value);
                if (schedule) onChange({ schedule });
              }}
            >
              {schedules.map((each) => (
                <option key={each} value={each}>
                  {scheduleNames[each]}
                </option>
              ))}
            </select>
          </label>
          <NumberField
            label="warm-up steps"
            value={s.warmup}
            least={0}
            most={1e6}
            onChange={(warmup) => onChange({ warmup })}
          />
        </Group>
        <Group name="AdamW">
          <RealField
            label="weight decay"
            value={s.weightDecay}
            least={0}
            most={10}
            onChange={(weightDecay) => onChange({ weightDecay })}
          />
          <RealField
            label="clip gradients at norm"
            value={s.clip}
            least={0.001}
            most={1e9}
            onChange={(clip) => onChange({ clip })}
          />
        </Group>
        <Group name="Rows">
          <NumberField
            label="tokens each"
            name="Tokens of a training row"
            value={s.seqLen}
            least={2}
            most={context}
            onChange={(seqLen) => onChange({ seqLen })}
          />
          <Optional
            label="seed"
            name="Seed of the order"
            placeholder="calibration’s"
            value={s.seed}
            least={0}
            onChange={(seed) => onChange({ seed })}
          />
        </Group>
        <Group name="On the way">
          <HeldOutText value={s.heldOut} onChange={(heldOut) => onChange({ heldOut })} />
          <Optional
            label="steps between checkpoints"
            name="Steps between two checkpoints"
            placeholder="twice a minute"
            value={s.checkpointEvery}
            least={1}
            onChange={(checkpointEvery) => onChange({ checkpointEvery })}
          />
        </Group>
      </div>
    </Disclosure>
  );
}

function Group({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <fieldset className="retrain-group">
      <legend>{name}</legend>
      {children}
    </fieldset>
  );
}

interface OptionalProps {
  label: string;
  name: string;
  /** What counts while the field is empty. */
  placeholder: string;
  value: number | null;
  least: number;
  onChange: (value: number | null) => void;
}

/** A whole number that may be left empty. */
function Optional({ label, name, placeholder, value, least, onChange }: OptionalProps) {
  return (
    <label className="number-field">
      <span>{label}</span>
      <input
        className="optional"
        type="number"
        aria-label={name}
        placeholder={placeholder}
        min={least}
        step={1}
        value={value ?? ''}
        onChange={({ target }) => {
          const number = target.valueAsNumber;
          if (target.value === '') onChange(null);
          else if (Number.isInteger(number) && number >= least) onChange(number);
        }}
      />
    </label>
  );
}

interface HeldOutProps {
  value: HeldOutChoice;
  onChange: (value: HeldOutChoice) => void;
}

/** Values of the list besides names of texts, which never begin with '#'. */
const [page, share] = ['#page', '#share'];

function HeldOutText({ value, onChange }: HeldOutProps) {
  const corpora = useLab((state) => state.corpora);
  const stored = corpora.filter(({ kind, stored: about }) => kind !== 'built-in' && about !== null);
  return (
    <label className="number-field">
      <span>held-out text</span>
      <select
        value={value.kind === 'corpus' ? value.corpus : `#${value.kind}`}
        onChange={({ target: { value: chosen } }) => {
          if (chosen === page) onChange({ kind: 'page' });
          else onChange(chosen === share ? { kind: 'share' } : { kind: 'corpus', corpus: chosen });
        }}
      >
        <option value={page}>the page’s evaluation text</option>
        <option value={share}>a tenth of the training text</option>
        {stored.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
