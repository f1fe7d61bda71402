/** @file Post-processors of tokenizer.json: the special tokens around a text. */
import { badTokenizer } from './bounds';
import type { PostProcessorJson } from './schema';

/** Ids that stand before and behind a text, and how often the text itself comes. */
export type PostProcess = (ids: readonly number[]) => number[];

/** Throws 'bad-tokenizer' for templates of tokens without ids, or of a second text. */
export function postProcessorOf(json: PostProcessorJson | null): PostProcess {
  if (json === null || json.type === 'ByteLevel') return (ids) => [...ids];
  switch (json.type) {
    case 'Sequence': {
      const steps = json.processors.map(postProcessorOf);
      return (ids) => steps.reduce<number[]>((made, step) => step(made), [...ids]);
    }
    case 'BertProcessing':
    case 'RobertaProcessing':
      return (ids) => [json.cls[1], ...ids, json.sep[1]];
    case 'TemplateProcessing': {
      const parts = json.single.map((piece): readonly number[] | 'text' => {
        if ('Sequence' in piece) {
          if (piece.Sequence.id === 'A') return 'text';
          throw badTokenizer("tokenizer.json: post_processor: the template for one text contains a second one, 'B'");
        }
        const { id } = piece.SpecialToken;
        const token = Object.hasOwn(json.special_tokens, id) ? json.special_tokens[id] : undefined;
        if (token) return token.ids;
        throw badTokenizer(`tokenizer.json: post_processor: the template's token '${id.slice(0, 60)}' has no ids`);
      });
      if (parts.filter((part) => part === 'text').length !== 1) {
        throw badTokenizer('tokenizer.json: post_processor: expected a template with the text once');
      }
      return (ids) => parts.flatMap((part) => (part === 'text' ? ids : part));
    }
  }
}
