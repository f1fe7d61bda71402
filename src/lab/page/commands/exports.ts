/** @file Commands of the export panel: what is exported, and where its files go. */

import { shownVariant } from '../shownVariant';
import type { ExportSettings } from '../store';
import type { Context } from './context';
import type { Task } from './tasks';
import { refreshVariants } from './variantList';

export interface ExportCommands {
  /** Changes what the panel exports. */
  chooseExport(change: Partial<ExportSettings>): void;
  /** Asks for a folder and writes the files into it. */
  exportToFolder(): Promise<void>;
  /** Saves the files where the browser puts downloads: a folder of several files as one archive. */
  exportDownload(): Promise<void>;
}

export function createExportCommands(context: Context): ExportCommands {
  const { lab, browser, store, tasks, saving } = context;
  const { getState, setState } = store;

  /** The id of the chosen variant. A plan that is shown and was not kept becomes a variant. */
  async function variantId(task: Pick<Task, 'signal'>): Promise<string | null> {
    const { exportSettings, plan } = getState();
    const shown = exportSettings.variant ?? shownVariant(getState());
    if (shown !== null || plan === null) return shown;
    const { id } = await lab.variant(plan, task);
    await refreshVariants(context);
    saving.soon();
    return id;
  }

  const nameOf = (id: string): string => getState().variants.find((each) => each.id === id)?.name ?? id;

  return {
    chooseExport(change) {
      setState(({ exportSettings }) => ({
        exportSettings: {
          ...exportSettings,
          ...(change.format !== undefined && change.format !== exportSettings.format && { dtype: null }),
          ...change,
        },
        exported: null,
      }));
    },
    async exportToFolder() {
      // Before anything else: the browser asks only right after a click.
      const folder = await tasks.command('export', async () => (await browser.chooseFolder?.()) ?? null);
      if (!folder) return;
      setState({ exported: null });
      await tasks.run('export', async (task) => {
        const { format, dtype } = getState().exportSettings;
        const id = await variantId(task);
        if (id === null) return;
        const { files, bytes } = await lab.exportTo(id, format, folder, { ...task, ...(dtype && { dtype }) });
        setState({ exported: { name: nameOf(id), format, files, bytes, folder: folder.name } });
      });
    },
    async exportDownload() {
      setState({ exported: null });
      await tasks.run('export', async (task) => {
        const { format, dtype } = getState().exportSettings;
        const id = await variantId(task);
        if (id === null) return;
        const options = { ...task, archive: true, ...(dtype && { dtype }) };
        const files = await lab.export(id, format, options);
        if (task.signal.aborted) return;
        for (const file of files) browser.download(file);
        const bytes = files.reduce((sum, { size }) => sum + size, 0);
        setState({ exported: { name: nameOf(id), format, files: files.map(({ name }) => name), bytes, folder: null } });
      });
    },
  };
}
