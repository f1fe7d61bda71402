/** @file Texts that numbers were measured on, and the devices that measured, as places of a link. */
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { RepairText, TrainingText } from '../../pruning/variant';
import type { TextOrigin } from '../../text/origin';
import type { CalibrationInfo, TextInfo } from '../texts';
import { type Codec, choice, figure, flag, mapped, optional, orNull, shared, text, tuple, whole } from './codec';

const corpus = choice([
  ...['calibration', 'evaluation', 'text', 'tokenIds'],
  ...['wikitext-2', 'ptb', 'c4-validation', 'bookcorpus', 'c4', 'wikitext-2-train'],
  ...['instructions', 'generated'],
]);

export const origin = shared<TextOrigin>(
  tuple<TextOrigin>({
    source: choice(['built-in', 'given', 'pasted text']),
    protocol: choice(['given', 'stories', 'running text', 'rows', 'joined']),
    start: choice(['none', 'first', 'row', 'every']),
    documents: whole,
    contentHash: text,
    available: orNull(whole),
  }),
);

/** `tokens` is absent where it is samples · seqLen. */
interface WrittenCalibration extends Omit<CalibrationInfo, 'tokens'> {
  readonly tokens?: number;
}

export const calibration = shared<CalibrationInfo>(
  mapped(
    tuple<WrittenCalibration>({
      ...{ corpus, samples: whole, seqLen: whole, seed: whole, hash: text },
      ...{ origin: optional(origin), tokens: optional(whole) },
    }),
    ({ tokens, ...rest }) => ({ ...rest, ...(tokens === rest.samples * rest.seqLen ? {} : { tokens }) }),
    (read) => ({ ...read, tokens: read.tokens ?? read.samples * read.seqLen }),
  ),
);

export const evaluation = shared<TextInfo>(
  tuple<TextInfo>({ corpus, sequences: whole, seqLen: whole, hash: text, origin: optional(origin) }),
);

export const repairText: Codec<RepairText> = tuple<RepairText>({
  ...{ corpus, samples: whole, seqLen: whole, seed: whole, hash: text },
});

type Generated = NonNullable<TrainingText['generated']>;

export const trainingText: Codec<TrainingText> = tuple<TrainingText>({
  ...{ corpus, samples: whole, seqLen: whole, seed: whole, hash: text },
  ...{ addBosToEvery: optional(flag), heldOut: optional(figure(4)) },
  generated: optional(tuple<Generated>({ temperature: figure(4), topK: optional(whole) })),
  source: optional(text),
});

/** '~' stands for it, and '=' before a name that begins with one of the two. */
const runtimeName = 'onnxruntime-web ';

export const label = shared<DeviceLabel>(
  tuple<DeviceLabel>({
    adapter: choice(['CPU', 'google swiftshader']),
    software: flag,
    runtime: mapped(
      choice(['WGSL engine', 'JavaScript']),
      (name) => {
        if (name.startsWith(runtimeName)) return `~${name.slice(runtimeName.length)}`;
        return /^[~=]/.test(name) ? `=${name}` : name;
      },
      (name) => (name.startsWith('=') ? name.slice(1) : name.replace(/^~/, runtimeName)),
    ),
  }),
);
