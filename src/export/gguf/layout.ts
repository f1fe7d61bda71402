/**
 * @file Which architecture of llama.cpp runs a variant, and how each of its blocks is written: an even variant as its family's own, an
 * uneven one as 'deci', whose head counts and FFN lengths are lists. What no architecture computes is refused here.
 */
import {
  attentionRoles,
  type BiasRole,
  isBias,
  type LayerShape,
  layerRoles,
  type ModelShape,
  type RopeShape,
  ropeOf,
} from '../../model/shape';
import type { ExportRefusal } from '../exported';

export type GgufArchitecture = 'llama' | 'qwen2' | 'qwen3' | 'gemma' | 'olmo2' | 'deci';

/** A block as the file has it. */
export interface GgufBlock {
  readonly layer: LayerShape;
  /** 'zero' where attention without effect stands in: one head whose output projection is 0. 'none' where the file has none. */
  readonly attention: 'kept' | 'zero' | 'none';
  /** 'zero' where an MLP without effect stands in: `zeroNeurons` neurons with weights 0. */
  readonly mlp: 'kept' | 'zero';
  readonly heads: number;
  readonly kvHeads: number;
  readonly ffn: number;
}

export interface GgufLayout {
  readonly architecture: GgufArchitecture;
  readonly blocks: readonly GgufBlock[];
  readonly headDim: number;
  /** Of every block. */
  readonly rope: RopeShape;
  /** Head counts and FFN lengths are lists: the architecture is 'deci'. */
  readonly uneven: boolean;
  /** The architecture rotates neighbouring channels: rows of queries and keys change their order. */
  readonly interleaved: boolean;
  /** The file needs a head of its own even where the model reuses the embedding. */
  readonly needsHead: boolean;
}

/** Neurons of an MLP without effect: llama.cpp drops the attention of a block whose FFN length is 0. One block of Q8_0. */
export const zeroNeurons = 32;

/** llama.cpp's LLAMA_MAX_LAYERS. */
const mostBlocks = 512;

/** Architectures whose blocks may have the biases of a list; 'llama' and 'deci' read any. */
const biasesOf: Readonly<Record<GgufArchitecture, 'any' | readonly BiasRole[]>> = {
  llama: 'any',
  deci: 'any',
  qwen2: ['qBias', 'kBias', 'vBias'],
  qwen3: [],
  gemma: [],
  olmo2: [],
};

/** The layout of a shape, or why there is none. */
export function layoutOf(shape: ModelShape): GgufLayout | ExportRefusal {
  // A block that lost both its sub-blocks passes the hidden state on.
  const layers = shape.layers.filter(({ heads, ffn }) => heads + ffn > 0);
  if (layers.length === 0 || layers.length > mostBlocks) {
    return refused(`a model of 1 to ${mostBlocks} blocks, and this one has ${layers.length}`, 'Keep some blocks.');
  }
  const missing = missingFeature(shape, layers);
  if (missing !== null) return refused(missing);
  const even = isEven(layers);
  const family = familyOf(shape, layers);
  if (family === null) return refused('none of its architectures has these norms, scales and activations together');
  if (!even && family !== 'llama' && family !== 'qwen2') {
    return refused(
      `only blocks of equal head counts and FFN lengths in the architecture '${family}', and the blocks of this variant differ`,
      `Remove whole blocks, or equal numbers of heads and neurons in every block; ${elsewhere}`,
    );
  }
  const architecture = even ? family : 'deci';
  const allowed = biasesOf[architecture];
  const bias = layers.flatMap(layerRoles).find((role) => isBias(role) && allowed !== 'any' && !allowed.includes(role));
  if (bias !== undefined) {
    return refused(
      `no ${bias} in the architecture '${architecture}', and this variant has one`,
      `Choose a repair without biases; ${elsewhere}`,
    );
  }
  const lead = layers.find(({ heads }) => heads > 0) ?? layers[0]!;
  const rope = ropeOf(shape, lead);
  if (architecture === 'olmo2' && !isSquare(shape, lead)) {
    return refused(
      "only heads that are together as wide as the hidden state in the architecture 'olmo2', and this variant has fewer",
      `Keep all heads; ${elsewhere}`,
    );
  }
  const ownTable = architecture === 'llama' || architecture === 'deci';
  if (!ownTable && rope.scaling !== undefined && rope.scaling.kind !== 'linear') {
    return refused(`no rotary embedding stretched by '${rope.scaling.kind}' as this model has it in '${architecture}'`);
  }
  return {
    architecture,
    blocks: layers.map((layer, index) => blockOf(layer, index === 0)),
    headDim: lead.headDim,
    rope,
    uneven: !even,
    interleaved: ownTable,
    needsHead: architecture === 'olmo2',
  };
}

export function isRefusal(layout: GgufLayout | ExportRefusal): layout is ExportRefusal {
  return 'remedy' in layout;
}

/** In 'deci', attention may be missing from any block but the first. */
function blockOf(layer: LayerShape, first: boolean): GgufBlock {
  const attention = layer.heads > 0 ? 'kept' : first ? 'zero' : 'none';
  const mlp = layer.ffn > 0 ? 'kept' : 'zero';
  const one = attention === 'zero' ? 1 : 0;
  return {
    ...{ layer, attention, mlp },
    heads: layer.heads || one,
    kvHeads: layer.kvHeads || one,
    ffn: layer.ffn || zeroNeurons,
  };
}

/** The heads are together as wide as the hidden state, as llama.cpp asks of some architectures. */
function isSquare({ hidden }: ModelShape, { heads, headDim }: LayerShape): boolean {
  return heads * headDim === hidden;
}

/**
 * Whether releases of llama.cpp before 2026 refuse the file: they expect biases of queries as wide as the hidden state, and those
 * of keys and values as wide as the first block's. Release b7179 does, b8948 does not.
 */
export function needsNewRelease(shape: ModelShape, { architecture, blocks }: GgufLayout): boolean {
  if (architecture !== 'llama' && architecture !== 'deci') return false;
  return blocks.some(({ layer, attention, kvHeads }) => {
    if (attention !== 'kept') return false;
    const roles = attentionRoles(layer);
    const keys = roles.includes('kBias') || roles.includes('vBias');
    return (roles.includes('qBias') && !isSquare(shape, layer)) || (keys && kvHeads !== blocks[0]?.kvHeads);
  });
}

/** Every block has both sub-blocks, and all have them in one size. */
function isEven(layers: readonly LayerShape[]): boolean {
  const [first] = layers;
  return layers.every(
    ({ heads, kvHeads, headDim, ffn }) =>
      heads > 0 &&
      ffn > 0 &&
      heads === first?.heads &&
      kvHeads === first.kvHeads &&
      headDim === first.headDim &&
      ffn === first.ffn,
  );
}

/** The architecture that computes an even model of these features; null where there is none. */
function familyOf(shape: ModelShape, layers: readonly LayerShape[]): Exclude<GgufArchitecture, 'deci'> | null {
  const { qkNorm, normPlacement, activation, biases = [] } = layers[0]!;
  const features = [qkNorm, normPlacement, activation, shape.normOffset, shape.embedScale];
  const has = (...wanted: typeof features): boolean => features.every((feature, at) => feature === wanted[at]);
  const same = layers.every(
    (layer) => layer.qkNorm === qkNorm && layer.normPlacement === normPlacement && layer.activation === activation,
  );
  if (!same) return null;
  const none = undefined;
  if (has(none, none, none, none, none)) {
    const scaling = ropeOf(shape, layers[0]!).scaling?.kind ?? 'linear';
    const [qwen, every] = [biasesOf.qwen2, layers.every(({ biases: own = [] }) => own.join() === biases.join())];
    const fits = isSquare(shape, layers[0]!) && every && biases.join() === String(qwen) && scaling === 'linear';
    return shape.family === 'qwen2' && fits ? 'qwen2' : 'llama';
  }
  if (has('head', none, none, none, none)) return 'qwen3';
  if (has('all', 'post', none, none, none)) return 'olmo2';
  // llama.cpp's Gemma multiplies the embedding by √hidden itself.
  if (has(none, none, 'gelu_tanh', 1, Math.sqrt(shape.hidden))) return 'gemma';
  return null;
}

/** What llama.cpp does not compute, or not as these models do; null where there is nothing of it. */
function missingFeature(shape: ModelShape, layers: readonly LayerShape[]): string | null {
  if (shape.logitSoftcap !== undefined) return 'no soft cap of the logits in the architectures that we write';
  const attentions = layers.filter(({ heads }) => heads > 0);
  for (const { source, window, scoreSoftcap, attnScale, headDim, rope } of attentions) {
    const block = `block ${source}`;
    if (window !== undefined && window < shape.maxPositions) {
      return `no sliding window in the architectures that we write, and the attention of ${block} has one of ${window} tokens`;
    }
    if (scoreSoftcap !== undefined) return `no soft cap of scores in the architectures that we write (${block})`;
    if (attnScale !== undefined) return `no scale of scores of its own in the architectures that we write (${block})`;
    if (headDim !== attentions[0]?.headDim) return `one number of channels per head, and ${block} has another`;
    if (JSON.stringify(rope) !== JSON.stringify(attentions[0]?.rope)) {
      return `one rotary embedding for all blocks, and ${block} has another`;
    }
  }
  return null;
}

const elsewhere = "or export to 'transformers.js', whose graph holds every variant.";

function refused(
  what: string,
  remedy = `Export to 'transformers.js', whose graph holds every variant.`,
): ExportRefusal {
  return { message: `export as 'gguf': llama.cpp has ${what}.`, remedy };
}
