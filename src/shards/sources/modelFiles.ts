/** @file Which files make a model, whatever the place that they come from. */

export const configFile = 'config.json';
export const tokenizerFile = 'tokenizer.json';
export const tokenizerConfigFile = 'tokenizer_config.json';
/** Files of older folders beside tokenizer.json: tokens that only they name. */
export const addedTokensFile = 'added_tokens.json';
export const specialTokensMapFile = 'special_tokens_map.json';
/** sentencepiece's own form, which stands in where there is no tokenizer.json. */
export const tokenizerModelFile = 'tokenizer.model';
export const generationConfigFile = 'generation_config.json';
export const cardFile = 'card.json';
/** The single file that holds all weights, where there is no index. */
export const weightsFile = 'model.safetensors';
/** The texts that the demo ships: its calibration text, and the text of its perplexity. */
export const calibrationFile = 'calibration.txt';
export const evaluationFile = 'evaluation.txt';

/** Files beside config.json and the weights that a load takes when they are there. */
export const optionalFiles: readonly string[] = [
  tokenizerFile,
  tokenizerConfigFile,
  addedTokensFile,
  specialTokensMapFile,
  generationConfigFile,
];
/** Which of them, and of what stands in for them, a place of these files has. */
export function optionalFilesOf(has: (name: string) => boolean): string[] {
  const names = optionalFiles.filter(has);
  return has(tokenizerModelFile) && !has(tokenizerFile) ? [...names, tokenizerModelFile] : names;
}

/** Other files of the demo. */
export const demoFiles: readonly string[] = [cardFile, calibrationFile, evaluationFile];

/** The files of a load in the order in which they are read: those that can refuse a model early come first. */
export function filesInOrder<F>(small: readonly F[], weights: readonly F[], index: F | null): F[] {
  return [...small, ...(index ? [index] : []), ...weights];
}
