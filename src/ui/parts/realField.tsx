/** @file A small field for a number with decimals, such as a learning rate. Values out of bounds are not passed on. */
import { type NumberProps, TypedNumber } from './typedNumber';

export function RealField(props: NumberProps) {
  return <TypedNumber {...props} text={plain(props.value)} step="any" accepts={Number.isFinite} />;
}

/** Without an exponent down to a millionth. */
const plain = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-6 ? String(value) : value.toFixed(8).replace(/\.?0+$/, '');
