/** @file llama2.c's tokenizer.bin made in a test. */
import { parseSentencepiece } from '../../shards/formats/sentencepiece';

/** As llama2.c's tokenizer.py writes it. */
export function llama2cBytes(model: Uint8Array): Uint8Array<ArrayBuffer> {
  const { pieces } = parseSentencepiece(model);
  const written = pieces.map(({ text, score }, id) => {
    const shown = id === 1 || id === 2 ? `\n${text}\n` : text.replaceAll('▁', ' ');
    return { score, bytes: new TextEncoder().encode(shown) };
  });
  const file = new Uint8Array(4 + written.reduce((sum, { bytes }) => sum + 8 + bytes.length, 0));
  const view = new DataView(file.buffer);
  view.setInt32(0, Math.max(...written.map(({ bytes }) => bytes.length)), true);
  let at = 4;
  for (const { score, bytes } of written) {
    view.setFloat32(at, score, true);
    view.setInt32(at + 4, bytes.length, true);
    file.set(bytes, at + 8);
    at += 8 + bytes.length;
  }
  return file;
}
