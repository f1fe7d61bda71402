/** @file Labels of width methods. Pure. */
import { type WidthId, widthMethods } from '../../importance/methods';

export function labelOfWidth(method: WidthId): string {
  return widthMethods.find(({ id }) => id === method)?.label ?? method;
}
