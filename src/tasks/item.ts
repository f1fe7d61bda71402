/** @file A multiple-choice question as a language model is asked it: which continuation of a text is the likeliest? */

export interface TaskItem {
  /** The text before the answers, or one text before each of them; '' where the answers are whole texts. */
  readonly context: string | readonly string[];
  /** What stands between the context and each answer: a space, or nothing. It does not count as part of the answer. */
  readonly separator: '' | ' ';
  /** The answers, at least two, none of them empty. */
  readonly choices: readonly string[];
  /** Index of the right answer. */
  readonly gold: number;
}

/** The questions of one task. */
export interface Task {
  /** 'story-endings', or the name of the file that held the questions. */
  readonly name: string;
  readonly items: readonly TaskItem[];
}

/** A question whose answers follow the context after one space, unless a space is there already or there is no context. */
export function taskItem(context: string, choices: readonly string[], gold: number): TaskItem {
  const spaced = context === '' || /\s$/.test(context) || choices.some((choice) => /^\s/.test(choice));
  return { context, separator: spaced ? '' : ' ', choices, gold };
}
