/** @file What an exporter gets and gives: a variant with all that was said of it, and the files of a folder that other programs open. */
import type { ModelShape } from '../model/shape';
import type { ModelView } from '../model/view';
import type { PruningPlan } from '../pruning/plan';
import type { Step } from '../pruning/variant';
import type { ModelInfo } from '../report/facts';
import type { ComparisonRow } from '../report/results';
import type { CalibrationInfo } from '../report/texts';
import type { KeptAdapter } from '../retrain/keptAdapter';
import type { TaskOptions } from '../task';

/** Types of weights that a format may offer; 'q8_0' is GGUF's: 32 weights with one f16 scale. */
export const exportDtypes = ['f32', 'f16', 'q8_0'] as const;
export type ExportDtype = (typeof exportDtypes)[number];

/** One file of an exported folder. Its bytes are made while they are read: no model has to fit into memory. */
export interface ExportedFile {
  /** Path within the folder, with slashes, such as 'onnx/model.onnx'. */
  readonly path: string;
  /** Media type. */
  readonly type: string;
  /** Size, known before anything is read: of the bytes that `pieces` yields in all. */
  readonly bytes: number;
  /** The content in order, in pieces of at most `pieceBytes`. May be called more than once. Rejects with 'aborted'. */
  pieces(signal?: AbortSignal): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Most bytes of one piece. */
export const pieceBytes = 2 ** 22;

/** What decides whether a format can hold a variant. The page knows it, too. */
export interface ExportedVariant {
  readonly shape: ModelShape;
  /** Shape of the unpruned model: what the checkpoint's files have. */
  readonly baseShape: ModelShape;
  readonly plan: PruningPlan;
  readonly recipe: readonly Step[];
  /** Class name in the model's config.json, such as 'LlamaForCausalLM'. */
  readonly architecture: string;
  /** The factors of a LoRA training that made it are stored. */
  readonly hasAdapter?: boolean;
}

/** A variant with everything that an exporter may write about it. */
export interface ExportSource extends ExportedVariant {
  /** Id of the variant; 'base' for the unpruned model. */
  readonly id: string;
  readonly name: string;
  /** Parameters of the variant, and the share of the base's that is removed, 0…1. */
  readonly parameters: number;
  readonly ratio: number;
  /** The unpruned model. */
  readonly model: ModelInfo;
  /** Shape with weights of the variant, cut, scaled and patched. */
  readonly view: ModelView;
  /** A text file that the model came with, such as 'config.json' or 'tokenizer.json'; null where it has none. */
  text(file: string): Promise<string | null>;
  /** Tokens that end a text. */
  readonly endsOfText: readonly number[];
  /** What was measured of the variant and of the base; null where nothing was. */
  readonly row: ComparisonRow | null;
  readonly baseRow: ComparisonRow | null;
  readonly calibration: CalibrationInfo | null;
  /** The factors of the LoRA training that made it, where they are stored. */
  readonly adapter?: KeptAdapter;
  /** Where the model that the factors belong to is found: a name on the Hub, or the folder of its own export. */
  readonly adapterBase?: { readonly path: string; readonly revision: string | null };
}

export interface ExportOptions extends TaskOptions {
  /** One of the format's `dtypes`; absent for its default. */
  readonly dtype?: ExportDtype;
}

/**
 * Writes a variant. Small files are made at once; weights are read when `pieces` is read.
 * @throws LabError 'not-available' where `refusal` of the format says so
 */
export type Exporter = (source: ExportSource, options: ExportOptions) => Promise<readonly ExportedFile[]>;

/** Why a format cannot hold a variant, and what to do instead. */
export interface ExportRefusal {
  readonly message: string;
  readonly remedy: string;
}

export type ExportFormatId = 'huggingface' | 'transformers.js' | 'onnx' | 'gguf' | 'peft' | 'mergekit' | 'recipe';

/** A record of the registry of formats. */
export interface ExportFormat {
  readonly id: ExportFormatId;
  readonly label: string;
  /** Types that can be asked for, the default in front; empty where there are no weights, or they keep the stored type. */
  readonly dtypes: readonly ExportDtype[];
  /** Which engines run this variant's files, in one sentence. */
  runsIn(variant: ExportedVariant): string;
  /** Null where the format can hold the variant. */
  refusal(variant: ExportedVariant, dtype?: ExportDtype): ExportRefusal | null;
  readonly load: () => Promise<{ readonly default: Exporter }>;
}
