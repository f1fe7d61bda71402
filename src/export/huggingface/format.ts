/** @file The format 'huggingface' in the registry. */
import type { ExportFormat } from '../exported';
import { enginesOf } from './uneven';

export const huggingface: ExportFormat = {
  id: 'huggingface',
  label: 'Hugging Face folder',
  dtypes: [],
  runsIn: ({ shape }) => enginesOf(shape),
  refusal: () => null,
  load: () => import('./write'),
};
