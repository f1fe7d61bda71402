/** @file The formats of an export: which engines open each, or why it cannot hold the variant. */
import { useId } from 'react';
import type { ExportDtype } from '../../export/exported';
import { exportFormats } from '../../export/formats';
import { commands } from '../../lab/page/app';
import { Segmented } from '../parts/segmented';
import { useLab } from '../parts/useLab';
import type { Chosen } from './choice';

const dtypeNames: Readonly<Record<ExportDtype, string>> = { f32: 'float32', f16: 'float16', q8_0: 'Q8_0' };

export function FormatChoice({ chosen, disabled }: { chosen: Chosen; disabled: boolean }) {
  const settings = useLab((state) => state.exportSettings);
  const group = useId();
  return (
    <fieldset className="export-formats" disabled={disabled}>
      <legend className="sr-only">Format</legend>
      {exportFormats.map((format) => {
        const selected = format.id === settings.format;
        const dtype = selected ? (settings.dtype ?? format.dtypes[0]) : format.dtypes[0];
        const refusal = format.refusal(chosen, dtype);
        // Another type may fit where this one does not.
        const none = refusal !== null && format.dtypes.every((each) => format.refusal(chosen, each) !== null);
        return (
          <div key={format.id} className={`export-format${selected ? ' selected' : ''}${none ? ' refused' : ''}`}>
            <label>
              <input
                type="radio"
                name={group}
                checked={selected}
                disabled={none}
                onChange={() => commands.chooseExport({ format: format.id })}
              />
              <span className="export-name">{format.label}</span>
            </label>
            <p className="export-engines">{refusal ? `${refusal.message} ${refusal.remedy}` : format.runsIn(chosen)}</p>
            {selected && format.dtypes.length > 1 && (
              <Segmented
                legend={`Type of the weights in ${format.label}`}
                options={format.dtypes.map((value) => ({ value, label: dtypeNames[value] }))}
                value={dtype ?? format.dtypes[0]!}
                onChange={(value) => commands.chooseExport({ dtype: value })}
              />
            )}
          </div>
        );
      })}
    </fieldset>
  );
}
