/** @file A small field for a whole number. Values out of bounds, as while typing, are not passed on. */
import { type NumberProps, TypedNumber } from './typedNumber';

export function NumberField(props: NumberProps) {
  return <TypedNumber {...props} text={String(props.value)} step={1} accepts={Number.isInteger} />;
}
