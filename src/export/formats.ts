/**
 * @file The registry of export formats, in the order in which menus show them. `lab.export`, `npm run lab` and the page read these
 * records. A new format is one folder with its record and its writer.
 */
import { LabError } from '../errors';
import type { ExportDtype, ExportedVariant, ExportFormat } from './exported';
import { gguf } from './gguf/format';
import { huggingface } from './huggingface/format';
import { mergekit } from './mergekit/format';
import { onnx } from './onnx/format';
import { peft } from './peft/format';
import { recipe } from './recipe/format';
import { transformersJs } from './transformersJs/format';

export const exportFormats: readonly ExportFormat[] = [huggingface, transformersJs, gguf, onnx, peft, mergekit, recipe];

/**
 * The format of an id, if it can hold the variant in this type.
 * @throws LabError 'bad-argument' for an unknown format or type, 'not-available' with the reason for what it cannot hold
 */
export function exportFormat(id: string, variant: ExportedVariant, dtype?: ExportDtype): ExportFormat {
  const format = exportFormats.find((each) => each.id === id);
  if (!format) {
    const known = exportFormats.map((each) => `'${each.id}'`).join(', ');
    throw new LabError(
      'bad-argument',
      `export: expected one of ${known}, got '${id.slice(0, 100)}'.`,
      'Name one of these.',
    );
  }
  if (dtype !== undefined && !format.dtypes.includes(dtype)) {
    const choice =
      format.dtypes.length > 0 ? `one of ${format.dtypes.join(', ')}` : 'no dtype: weights keep the stored type';
    throw new LabError(
      'bad-argument',
      `export as '${id}': expected ${choice}, got '${dtype}'.`,
      'Leave dtype out, or choose one of these.',
    );
  }
  const refusal = format.refusal(variant, dtype);
  if (refusal) throw new LabError('not-available', refusal.message, refusal.remedy);
  return format;
}
