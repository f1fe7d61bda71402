/** @file The text that the base and the edited plan write for the same prompt. */
import type { ModelInfo } from '../../../report/facts';
import { baseSelection, isBase, KnownResults, type Selection, selectionOf, targetOf } from '../selection';
import type { WrittenText } from '../store';
import type { Context } from './context';
import { mostSelections } from './live';
import type { Task } from './tasks';

/** New tokens of a text; fewer where an emulated GPU takes seconds for one token of a large model. */
const textTokens = 60;
const emulatedTextTokens = 20;
const largeModel = 2e8;

export interface WritingCommands {
  /** Lets the base and the edited plan continue a prompt. */
  write(prompt: string): Promise<void>;
}

export interface WritingSteps {
  /** Continues the shown prompt with the edited plan, and with the base where that is not done yet. */
  rewrite(): Promise<void>;
  /** Shows the text of the edited plan if it was written before. */
  showKnown(): void;
  /** Forgets texts that were written with a variant's own weights. */
  forget(variant: string): void;
  /** Forgets all: another model, or another prompt. */
  clear(): void;
}

export function createWriting({ lab, store, tasks }: Context): WritingCommands & WritingSteps {
  const { getState, setState } = store;
  const written = new KnownResults<WrittenText>(mostSelections);

  async function write(prompt: string): Promise<void> {
    if (prompt !== getState().texts.prompt || written.size === 0) {
      written.clear();
      setState({ texts: { prompt, base: null, variant: null } });
    }
    await rewrite();
  }

  async function rewrite(): Promise<void> {
    const { model, texts } = getState();
    const selection = selectionOf(getState());
    if (!model?.tokenizer || !selection || texts.prompt === '') return;
    const base = baseSelection(model.id);
    await tasks.run('generate', async (task) => {
      for (const each of isBase(selection) ? [base] : [base, selection]) {
        if (written.get(each)) continue;
        const finished = await writeOne(each, texts.prompt, model, task);
        if (!finished) return;
        written.set(each, finished);
      }
      showKnown();
    });
  }

  /** Resolves to null when the task was cancelled or another model opened meanwhile. */
  async function writeOne(
    selection: Selection,
    prompt: string,
    model: ModelInfo,
    task: Task,
  ): Promise<WrittenText | null> {
    let ended = false;
    const isOver = (): boolean => ended || task.signal.aborted || getState().model !== model;
    const show = (text: WrittenText): void => {
      if (!isOver()) setState(({ texts }) => ({ texts: withText(texts, selection, text) }));
    };
    const { text, device } = await lab.generate(targetOf(selection), prompt, {
      newTokens: getState().device?.software && model.parameters > largeModel ? emulatedTextTokens : textTokens,
      temperature: 0,
      signal: task.signal,
      onProgress: (progress) => {
        task.onProgress(progress);
        if (progress.text) show({ text: progress.text, by: null });
      },
    });
    if (isOver()) return null;
    const finished = { text, by: device };
    show(finished);
    ended = true; // a progress report may arrive after the answer
    return finished;
  }

  function showKnown(): void {
    const selection = selectionOf(getState());
    const known = selection && !isBase(selection) && written.get(selection);
    if (known) setState(({ texts }) => ({ texts: withText(texts, selection, known) }));
  }

  return {
    write,
    rewrite,
    showKnown,
    forget: (variant) => written.forget(variant),
    clear: () => written.clear(),
  };
}

type Texts = ReturnType<Context['store']['getState']>['texts'];

function withText(texts: Texts, selection: Selection, text: WrittenText): Texts {
  return isBase(selection) ? { ...texts, base: text } : { ...texts, variant: { selection, ...text } };
}
