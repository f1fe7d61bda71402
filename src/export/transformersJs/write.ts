/** @file Writes a variant as a folder that transformers.js opens: configuration, tokenizer, graph and weights. */
import { modelParameters } from '../../model/count';
import { type ModelShape, ropeOf } from '../../model/shape';
import { buildGraph } from '../../onnx/graph';
import { transformersLayout } from '../../onnx/transformersLayout';
import {
  configFile,
  generationConfigFile,
  optionalFiles,
  tokenizerConfigFile,
  tokenizerFile,
} from '../../shards/sources/modelFiles';
import type { ExportedFile, ExportOptions, ExportSource } from '../exported';
import { blobFile, jsonFile, textFile } from '../files';
import { modelCard } from './card';
import { configOf, generationConfigOf, type WeightFacts } from './config';
import { weightFiles } from './weightFiles';

/** A session of wasm holds the weights of the file and, while it is made, their f32 form: both have to fit into 4 GiB. */
const mostWidenedBytes = Math.floor(2 ** 32 / 1.5);
/** Rotary tables lie within the graph: longer contexts are cut where they would take more. */
const mostTableBytes = 2 ** 24;

/** Longest sequence of the graph. */
function positionsOf(shape: ModelShape): number {
  const tables = new Set(shape.layers.map((layer) => `${layer.headDim} ${JSON.stringify(ropeOf(shape, layer))}`));
  const widest = Math.max(2, ...shape.layers.map(({ headDim }) => headDim));
  return Math.min(shape.maxPositions, Math.floor(mostTableBytes / (4 * widest * Math.max(1, tables.size))));
}

/** Tokenizer files as the model came with them, and the least that transformers.js asks for beside them. */
async function tokenizerFiles(source: ExportSource): Promise<{ files: ExportedFile[]; notes: string[] }> {
  const files: ExportedFile[] = [];
  const has = new Set<string>();
  for (const name of optionalFiles.filter((each) => each !== generationConfigFile)) {
    const text = await source.text(name);
    if (text === null) continue;
    has.add(name);
    files.push(textFile(name, text, 'application/json'));
  }
  if (!has.has(tokenizerFile)) {
    return { files, notes: ['The model came without tokenizer.json: put one beside config.json, or pass token ids.'] };
  }
  if (!has.has(tokenizerConfigFile)) {
    files.push(jsonFile(tokenizerConfigFile, { tokenizer_class: 'PreTrainedTokenizerFast' }));
  }
  return { files, notes: [] };
}

export default async function write(source: ExportSource, { dtype }: ExportOptions): Promise<readonly ExportedFile[]> {
  const { shape, weights: own } = source.view;
  const half = dtype === 'f16';
  const graphFile = `model${half ? '_fp16' : ''}.onnx`;
  const { weights, files } = weightFiles(shape, own, half ? 'F16' : 'F32', {
    ...{ folder: 'onnx', name: `${graphFile}_data` },
  });
  const maxPositions = positionsOf(shape);
  const graph = buildGraph(shape, weights, {
    ...{ maxPositions, name: source.name, layout: transformersLayout(shape) },
    precision: half && 4 * modelParameters(shape) > mostWidenedBytes ? 'f16-weights' : 'f32',
    metadata: {
      ...{ source: source.model.source, revision: source.model.revision, plan: JSON.stringify(source.plan) },
    },
  });
  const facts: WeightFacts = {
    ...{ dtype: half ? 'fp16' : 'fp32', graph: graphFile, files: files.length, maxPositions },
  };
  const tokenizer = await tokenizerFiles(source);
  return [
    textFile('README.md', modelCard(source, facts, tokenizer.notes), 'text/markdown'),
    jsonFile(configFile, await configOf(source, facts)),
    jsonFile(generationConfigFile, await generationConfigOf(source)),
    ...tokenizer.files,
    blobFile(`onnx/${graphFile}`, new Blob([graph.model])),
    ...files,
  ];
}
