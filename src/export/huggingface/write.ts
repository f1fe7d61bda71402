/** @file Writes a variant as a Hugging Face folder: config.json, safetensors, tokenizer, model card. */
import { LabError } from '../../errors';
import { parseJson } from '../../io/json';
import { record } from '../../model/configFields';
import { configFile } from '../../shards/sources/modelFiles';
import type { ExportedFile, ExportOptions, ExportSource } from '../exported';
import { textFile } from '../files';
import { modelCard } from './card';
import { companions, withKnownIds } from './companions';
import { exportedConfig } from './config';
import { modelingCode, modelingFile } from './modeling';
import { pythonJsonFile } from './pythonJson';
import { shardBytes, shardFiles } from './shards';
import { writtenTensors } from './tensors';
import { whyUneven } from './uneven';

export default async function write(source: ExportSource, _options: ExportOptions): Promise<readonly ExportedFile[]> {
  return writeFolder(source, shardBytes);
}

/** The folder's files; `most`: bytes of tensors in one file. */
export async function writeFolder(source: ExportSource, most: number): Promise<readonly ExportedFile[]> {
  const { shape, weights } = source.view;
  const beside = await companions(source);
  const notes = [...beside.notes];
  const raw = record(parseJson((await source.text(configFile)) ?? '', configFile, 'bad-config'));
  if (raw === null) throw new LabError('bad-config', `${configFile} is no object.`, 'Load the model again.');
  const made = exportedConfig(raw, shape, source.baseShape, source.model.dtype);
  const config = withKnownIds(made, shape.vocab, configFile, notes);
  return [
    pythonJsonFile(configFile, config),
    ...beside.files,
    ...(whyUneven(shape) === null ? [] : [textFile(modelingFile, modelingCode(shape), 'text/x-python')]),
    textFile('README.md', modelCard(source, notes), 'text/markdown'),
    ...shardFiles(writtenTensors(shape, weights), most),
  ];
}
