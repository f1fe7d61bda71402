/** @file Reads a serialized graph back and lists the faults of its structure. */
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, type TensorProto, TensorProto_DataLocation, TensorProto_DataType } from 'onnx-buf';

const elementBytes = new Map<number, number>([
  [TensorProto_DataType.FLOAT, 4],
  [TensorProto_DataType.FLOAT16, 2],
  [TensorProto_DataType.INT32, 4],
  [TensorProto_DataType.INT64, 8],
]);

function checkInitializer(tensor: TensorProto, fileBytes: Readonly<Record<string, number>>): string[] {
  const size = elementBytes.get(tensor.dataType);
  if (size === undefined) return [`initializer '${tensor.name}' has the unexpected data type ${tensor.dataType}`];
  const expected = tensor.dims.reduce((product, dim) => product * Number(dim), size);
  if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) {
    const got = tensor.rawData.byteLength;
    return got === expected ? [] : [`initializer '${tensor.name}': expected ${expected} bytes, got ${got}`];
  }
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const [location, offset, length] = [
    entries.get('location'),
    Number(entries.get('offset')),
    Number(entries.get('length')),
  ];
  const problems: string[] = [];
  if (length !== expected) problems.push(`initializer '${tensor.name}': expected ${expected} bytes, got ${length}`);
  const available = location === undefined ? undefined : fileBytes[location];
  if (available === undefined) problems.push(`initializer '${tensor.name}' is in the unknown file '${location}'`);
  else if (!(offset >= 0 && offset + length <= available)) {
    problems.push(
      `initializer '${tensor.name}': bytes ${offset}…${offset + length} of '${location}', which has ${available}`,
    );
  }
  return problems;
}

/**
 * Problems of a graph, one sentence each; none when it is sound. Every input of a node is a graph input, an initializer
 * or produced earlier; no name is used twice; initializers have the bytes that their dimensions ask for.
 */
export function checkGraph(model: Uint8Array, fileBytes: Readonly<Record<string, number>>): string[] {
  const { graph } = fromBinary(ModelProtoSchema, model);
  if (graph === undefined) return ['the model has no graph'];
  const problems: string[] = [];
  const values = new Set<string>();
  const names = new Set<string>();
  const read = new Set<string>();
  const declare = (name: string) => {
    if (values.has(name)) problems.push(`the value '${name}' is produced twice`);
    values.add(name);
  };
  for (const input of graph.input) declare(input.name);
  for (const tensor of graph.initializer) {
    declare(tensor.name);
    problems.push(...checkInitializer(tensor, fileBytes));
  }
  for (const node of graph.node) {
    if (names.has(node.name)) problems.push(`two nodes are called '${node.name}'`);
    names.add(node.name);
    for (const input of node.input) {
      if (input !== '' && !values.has(input)) problems.push(`'${node.name}' reads '${input}' before it is produced`);
      read.add(input);
    }
    for (const output of node.output) if (output !== '') declare(output);
  }
  for (const output of graph.output) {
    if (!values.has(output.name)) problems.push(`the output '${output.name}' is produced by no node`);
  }
  for (const { name } of [...graph.input, ...graph.initializer]) {
    if (!read.has(name)) problems.push(`nothing reads '${name}'`);
  }
  return problems;
}
