/** @file Writes an ONNX graph node by node: names are unique, every value exists before it is used. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  type TypeProto_Tensor,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { LabError } from '../errors';

/** Element types that our graphs use. */
export type ElementType = 'float32' | 'float16' | 'int32' | 'int64';

const dataTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
};

/** A graph input or output; a string dimension is symbolic. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

/** A byte range of a file that lies beside the graph. */
export interface ExternalRange {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface NodeOptions {
  /** Operator set other than ai.onnx. */
  domain?: 'com.microsoft';
  /** Integer attributes. */
  ints?: Readonly<Record<string, number>>;
  /** Attributes that are lists of integers. */
  lists?: Readonly<Record<string, readonly number[]>>;
  /** Float attributes, rounded to f32. */
  floats?: Readonly<Record<string, number>>;
  /** Output names; '' for one that is not wanted. Default: the node's own name. */
  outputs?: readonly string[];
}

export interface GraphBuilder {
  input(info: ValueInfo): string;
  output(info: ValueInfo): void;
  /** An initializer with its bytes inside the graph (little-endian). */
  constant(name: string, type: ElementType, dims: readonly number[], bytes: Uint8Array<ArrayBuffer>): string;
  /** An initializer that lies in a file. */
  external(name: string, type: ElementType, dims: readonly number[], range: ExternalRange): string;
  /** Appends a node and returns its first output. '' in `inputs` is an optional input left out. */
  node(name: string, op: string, inputs: readonly string[], options?: NodeOptions): string;
  /** The serialized ModelProto (opset 21 and com.microsoft 1). */
  finish(info: { name: string; metadata: Readonly<Record<string, string>> }): Uint8Array<ArrayBuffer>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: number;
}

function attributes({ ints = {}, lists = {}, floats = {} }: NodeOptions) {
  const { INT, INTS, FLOAT } = AttributeProto_AttributeType;
  return [
    ...Object.entries(ints).map(([name, i]) => create(AttributeProtoSchema, { name, type: INT, i: BigInt(i) })),
    ...Object.entries(lists).map(([name, list]) =>
      create(AttributeProtoSchema, { name, type: INTS, ints: list.map(BigInt) }),
    ),
    ...Object.entries(floats).map(([name, f]) => create(AttributeProtoSchema, { name, type: FLOAT, f })),
  ];
}

function valueInfo({ name, type, dims }: ValueInfo): ValueInfoProto {
  const dim = dims.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }));
  const tensor = { elemType: dataTypes[type], shape: { dim } } as TypeProto_Tensor;
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensor } } });
}

/** An empty graph. */
export function createGraph(): GraphBuilder {
  const graph = create(GraphProtoSchema);
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const values = new Set<string>();
  const nodeNames = new Set<string>();

  const bug = (message: string) => new LabError('internal', `ONNX graph: ${message}.`, 'Please report this bug.');
  function declare(name: string): string {
    if (values.has(name)) throw bug(`the value '${name}' is produced twice`);
    values.add(name);
    return name;
  }
  const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
  const tensor = (name: string, type: ElementType, dims: readonly number[]): TensorProto =>
    create(TensorProtoSchema, { name, dataType: dataTypes[type], dims: dims.map(BigInt) });

  return {
    inputs,
    outputs,
    get nodes() {
      return graph.node.length;
    },
    input(info) {
      inputs.push(info);
      graph.input.push(valueInfo(info));
      return declare(info.name);
    },
    output(info) {
      if (!values.has(info.name)) throw bug(`the output '${info.name}' is produced by no node`);
      outputs.push(info);
      graph.output.push(valueInfo(info));
    },
    constant(name, type, dims, bytes) {
      const proto = tensor(name, type, dims);
      proto.rawData = bytes;
      graph.initializer.push(proto);
      return declare(name);
    },
    external(name, type, dims, range) {
      const proto = tensor(name, type, dims);
      proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
      proto.externalData = [
        entry('location', range.location),
        entry('offset', String(range.offset)),
        entry('length', String(range.length)),
      ];
      graph.initializer.push(proto);
      return declare(name);
    },
    node(name, op, nodeInputs, options = {}) {
      const missing = nodeInputs.find((value) => value !== '' && !values.has(value));
      if (missing !== undefined) throw bug(`'${name}' reads '${missing}', which nothing has produced yet`);
      if (nodeNames.has(name)) throw bug(`two nodes are called '${name}'`);
      nodeNames.add(name);
      const produced = options.outputs ?? [name];
      for (const value of produced) if (value !== '') declare(value);
      graph.node.push(
        create(NodeProtoSchema, {
          name,
          opType: op,
          domain: options.domain ?? '',
          input: [...nodeInputs],
          output: [...produced],
          attribute: attributes(options),
        }),
      );
      return produced[0]!;
    },
    finish({ name, metadata }) {
      graph.name = name;
      const model = create(ModelProtoSchema, {
        irVersion: 10n,
        producerName: 'Secateur',
        opsetImport: [
          create(OperatorSetIdProtoSchema, { domain: '', version: 21n }),
          create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }),
        ],
        metadataProps: Object.entries(metadata).map(([key, value]) => entry(key, value)),
        graph,
      });
      return toBinary(ModelProtoSchema, model) as Uint8Array<ArrayBuffer>;
    },
  };
}
