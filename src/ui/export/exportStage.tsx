/** @file The export panel: a variant's files for other programs, in any format that can hold it. */
import { exportFormats } from '../../export/formats';
import { commands } from '../../lab/page/app';
import { canChooseFolder } from '../../lab/page/browser';
import { FailureNote } from '../parts/failureNote';
import { bytes, quantity } from '../parts/format';
import { Icon } from '../parts/icons';
import { ProgressBar } from '../parts/progressBar';
import { useLab, useTask } from '../parts/useLab';
import { type Chosen, chosenVariant, fat32Bytes, weightBytes } from './choice';
import { FormatChoice } from './formatChoice';

export function ExportStage() {
  const model = useLab((state) => state.model);
  const plan = useLab((state) => state.plan);
  const ownWeights = useLab((state) => state.ownWeights);
  const variants = useLab((state) => state.variants);
  const draft = useLab((state) => state.draft);
  const exportSettings = useLab((state) => state.exportSettings);
  const task = useTask('export');
  const chosen = chosenVariant({ model, plan, ownWeights, variants, draft, exportSettings });
  const running = task.phase === 'running';
  return (
    <section className="card export" id="export" aria-labelledby="export-title" tabIndex={-1}>
      <h2 id="export-title">Export</h2>
      <p className="sub">
        Writes a variant as files that other programs open. Files are made piece by piece: a large model does not have
        to fit into memory.
      </p>
      {model && chosen && (
        <>
          <VariantChoice disabled={running} />
          <FormatChoice chosen={chosen} disabled={running} />
          {!running && <Actions chosen={chosen} stored={model.dtype} />}
        </>
      )}
      {running && <ProgressBar label="Writing the files" progress={task.progress} taskKey="export" />}
      {task.phase === 'failed' && <FailureNote title="The files could not be made" failure={task.failure} />}
      <Done />
    </section>
  );
}

/** Which variant is exported. */
function VariantChoice({ disabled }: { disabled: boolean }) {
  const variants = useLab((state) => state.variants);
  const variant = useLab((state) => state.exportSettings.variant);
  const known = variant !== null && variants.some(({ id }) => id === variant) ? variant : '';
  return (
    <label className="export-variant">
      <span>Variant</span>
      <select
        className="field"
        value={known}
        disabled={disabled}
        onChange={({ target }) => commands.chooseExport({ variant: target.value === '' ? null : target.value })}
      >
        <option value="">the plan shown above</option>
        {variants.map(({ id, name }) => (
          <option key={id} value={id}>
            {id === 'base' ? 'original model' : name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Actions({ chosen, stored }: { chosen: Chosen; stored: 'F32' | 'F16' | 'BF16' }) {
  const settings = useLab((state) => state.exportSettings);
  const format = exportFormats.find(({ id }) => id === settings.format) ?? exportFormats[0]!;
  const refused = format.refusal(chosen, settings.dtype ?? undefined) !== null;
  const size = weightBytes(format, chosen, stored, settings.dtype);
  return (
    <div className="export-actions">
      {canChooseFolder && (
        <button
          type="button"
          className="button primary"
          disabled={refused}
          onClick={() => void commands.exportToFolder()}
        >
          <Icon name="folder" /> Save into a folder…
        </button>
      )}
      <button
        type="button"
        className={canChooseFolder ? 'button' : 'button primary'}
        disabled={refused}
        onClick={() => void commands.exportDownload()}
      >
        <Icon name="download" /> Download as .zip
      </button>
      <span className="export-size">
        {size === null
          ? 'a few kilobytes, without weights'
          : `about ${bytes(size)}, ${quantity(chosen.parameters)} parameters`}
        {size !== null && size > fat32Bytes && <> · a disk formatted as FAT32 takes no file beyond 4 GiB</>}
        {size !== null && size > 2 ** 30 && <> · a download needs this space twice while it is made</>}
      </span>
    </div>
  );
}

/** What was written last, and where. */
function Done() {
  const exported = useLab((state) => state.exported);
  if (!exported) return null;
  const { name, files, bytes: size, folder } = exported;
  const where = folder === null ? 'where your browser puts downloads' : `the folder ${folder}`;
  return (
    <p className="hint" role="status">
      Wrote {name} into {where}: {files.length === 1 ? files[0] : `${files.length} files`}, {bytes(size)}.
    </p>
  );
}
