/** @file Errors of sources that lack or refuse files, the same for folders on servers and files on disk. */
import { LabError } from '../../errors';
import { indexFile } from '../formats/shardIndex';
import { configFile, weightsFile } from './modelFiles';

/** The sources that openSource accepts, in words. */
export const acceptedSources =
  "'demo', a model's name on the Hugging Face Hub (owner/name), the address of a folder with config.json, the files of such a folder, or a llama2.c .bin";

/** A source that cannot be a model. */
export function badSource(what: string): LabError {
  return new LabError('bad-source', `Source: ${what}.`, `Give ${acceptedSources}.`);
}

export function missingFile(file: string, label: string): LabError {
  return new LabError('missing-file', `${label} has no file ${file}.`, 'Check the folder for this file.');
}

export function missingConfig(label: string): LabError {
  return new LabError(
    'missing-file',
    `${label} holds no ${configFile}.`,
    'Use a model folder in Hugging Face format: config.json, tokenizer.json and *.safetensors.',
  );
}

/** `others`: weights in formats that are not read. */
export function missingWeights(label: string, others: readonly string[] = []): LabError {
  const but = others.length > 0 ? `, but ${others.slice(0, 3).join(', ').slice(0, 200)}` : '';
  return new LabError(
    'missing-file',
    `${label} contains neither ${weightsFile} nor ${indexFile}${but}.`,
    'Convert the weights to safetensors. PyTorch .bin and .pth files and .gguf files are not supported; a llama2.c .bin without a config.json is.',
  );
}

export function missingShard(shard: string, label: string, named = indexFile): LabError {
  return new LabError(
    'missing-file',
    `${shard}, which ${named} of ${label} lists, is missing.`,
    'Get all shards of the model from one revision.',
  );
}

/** A server's refusal, by its status. */
export function httpError(file: string, label: string, response: Response): LabError {
  const status = `${response.status} ${response.statusText}`.trim();
  return new LabError(
    'network',
    `${file} of ${label}: the server responded with status ${status}.`,
    response.status === 401 || response.status === 403
      ? 'This model needs permission: choose a public one, or load its files from your disk.'
      : 'Try again later, or load the files from your disk.',
  );
}
