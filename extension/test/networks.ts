import { makeGraph, type EdgeParts } from "../src/scene/graph.js";
import { CONTROL, Role, type Graph } from "../src/scene/types.js";

/** Builds a network operation by operation, as TensorFlow programs do, and differentiates it. */
class Builder {
  readonly names: string[] = [];
  readonly types: string[] = [];
  readonly roles: number[] = [];
  readonly edges: EdgeParts[] = [];
  private readonly taken = new Map<string, number>();
  private readonly weights: number[] = [];
  private readonly initialisers: number[] = [];

  add(name: string, type: string, inputs: readonly number[], role: number = Role.forward): number {
    const uses = this.taken.get(name) ?? 0;
    this.taken.set(name, uses + 1);
    const unique = uses === 0 ? name : `${name}_${uses}`;
    this.types.push(type);
    this.roles.push(role);
    const target = this.names.push(unique) - 1;
    for (const source of inputs) this.edges.push({ source, target, shape: "float32[?,64]" });
    return target;
  }

  /** A variable with its initialiser; answers with what reads it. */
  variable(name: string): number {
    const shape = this.add(`${name}/Initializer/shape`, "Const", [], Role.auxiliary);
    const random = this.add(`${name}/Initializer/random`, "RandomUniform", [shape], Role.auxiliary);
    const variable = this.add(name, "VariableV2", []);
    const assign = this.add(`${name}/Assign`, "Assign", [variable, random], Role.auxiliary);
    this.initialisers.push(assign);
    this.weights.push(variable);
    return this.add(`${name}/read`, "Identity", [variable]);
  }

  dense(scope: string, input: number, activation: string | null = "Relu"): number {
    const kernel = this.variable(`${scope}/kernel`);
    const bias = this.variable(`${scope}/bias`);
    const product = this.add(`${scope}/MatMul`, "MatMul", [input, kernel]);
    const sum = this.add(`${scope}/BiasAdd`, "BiasAdd", [product, bias]);
    return activation === null ? sum : this.add(`${scope}/${activation}`, activation, [sum]);
  }

  convolution(scope: string, input: number, type = "Conv2D"): number {
    const kernel = this.variable(`${scope}/weights`);
    const product = this.add(`${scope}/${type}`, type, [input, kernel]);
    const norm = `${scope}/BatchNorm`;
    const gamma = this.variable(`${norm}/gamma`);
    const beta = this.variable(`${norm}/beta`);
    const scaled = this.add(`${norm}/FusedBatchNorm`, "FusedBatchNorm", [product, gamma, beta]);
    return this.add(`${scope}/Relu`, "Relu", [scaled]);
  }

  /** Gradients of all operations that carry tensors, updates of all weights, an initialisation. */
  train(loss: number, gradients = "gradients"): Graph {
    const forward = this.names.length;
    const gradientOf = new Map<number, number[]>();
    gradientOf.set(loss, [this.add(`${gradients}/grad_ys`, "Fill", [], Role.backward)]);
    const inputs = new Map<number, number[]>();
    for (const { source, target } of this.edges) {
      inputs.set(target, [...(inputs.get(target) ?? []), source]);
    }
    for (let operation = forward - 1; operation >= 0; operation--) {
      const arriving = gradientOf.get(operation);
      if (arriving === undefined || this.roles[operation] !== Role.forward) continue;
      const sum =
        arriving.length === 1
          ? arriving[0]
          : this.add(`${gradients}/AddN`, "AddN", arriving, Role.backward);
      for (const [index, source] of (inputs.get(operation) ?? []).entries()) {
        const name = `${gradients}/${this.names[operation]}_grad/Grad_${index}`;
        const type = `${this.types[operation]}Grad`;
        const gradient = this.add(name, type, [sum, source, operation], Role.backward);
        gradientOf.set(source, [...(gradientOf.get(source) ?? []), gradient]);
      }
    }
    const rate = this.add("train/learning_rate", "Const", [], Role.update);
    const updates = this.weights.map((weight) => {
      const gradient = gradientOf.get(weight) ?? [];
      const name = `train/update_${this.names[weight]}/ApplyGradientDescent`;
      return this.add(name, "ApplyGradientDescent", [weight, rate, ...gradient], Role.update);
    });
    this.wait("train", updates, Role.update);
    this.wait("init", this.initialisers, Role.auxiliary);
    return this.graph();
  }

  private wait(name: string, sources: readonly number[], role: number): void {
    const target = this.add(name, "NoOp", [], role);
    for (const source of sources) this.edges.push({ source, target, output: CONTROL });
  }

  graph(): Graph {
    return makeGraph(this);
  }
}

function lossOf(builder: Builder, logits: number): number {
  const labels = builder.add("labels", "Placeholder", []);
  const cross = builder.add("loss/cross_entropy", "SoftmaxCrossEntropyWithLogits", [
    logits,
    labels,
  ]);
  const axes = builder.add("loss/axes", "Const", []);
  return builder.add("loss/Mean", "Mean", [cross, axes]);
}

/** Layers one after the other: what every introduction draws. */
export function perceptron(layers: number): Graph {
  const builder = new Builder();
  let flow = builder.add("x", "Placeholder", []);
  for (let layer = 1; layer <= layers; layer++) flow = builder.dense(`hidden_${layer}`, flow);
  return builder.train(lossOf(builder, builder.dense("output", flow, null)));
}

/** A transformer's encoder of so many equal layers, each with an attention of many heads. */
export function transformer(blocks: number): Graph {
  const builder = new Builder();
  const tokens = builder.add("tokens", "Placeholder", []);
  const mask = builder.add("mask", "Placeholder", []);
  const table = builder.variable("embeddings/table");
  let flow = builder.add("embeddings/Gather", "GatherV2", [table, tokens]);
  for (let block = 0; block < blocks; block++) {
    const layer = `encoder/layer_${block}`;
    const [query, key, value] = ["query", "key", "value"].map((name) =>
      builder.dense(`${layer}/attention/${name}`, flow, null),
    );
    const scores = builder.add(`${layer}/attention/MatMul`, "BatchMatMul", [query, key]);
    const masked = builder.add(`${layer}/attention/add`, "Add", [scores, mask]);
    const weights = builder.add(`${layer}/attention/Softmax`, "Softmax", [masked]);
    const mixed = builder.add(`${layer}/attention/MatMul`, "BatchMatMul", [weights, value]);
    const attended = builder.dense(`${layer}/attention/output`, mixed, null);
    const sum = builder.add(`${layer}/add`, "Add", [attended, flow]);
    const gamma = builder.variable(`${layer}/LayerNorm/gamma`);
    const norm = builder.add(`${layer}/LayerNorm/mul`, "Mul", [sum, gamma]);
    const wide = builder.dense(`${layer}/intermediate`, norm, "Gelu");
    const narrow = builder.dense(`${layer}/output`, wide, null);
    flow = builder.add(`${layer}/add`, "Add", [narrow, norm]);
  }
  return builder.train(lossOf(builder, builder.dense("pooler", flow, "Tanh")));
}

/** Residual units in blocks, with name scopes as TensorFlow's model garden has them. */
export function residual(units: readonly number[]): Graph {
  const builder = new Builder();
  const name = "resnet";
  let flow = builder.add("images", "Placeholder", []);
  flow = builder.convolution(`${name}/conv1`, flow);
  flow = builder.add(`${name}/pool1`, "MaxPool", [flow]);
  units.forEach((count, block) => {
    for (let unit = 1; unit <= count; unit++) {
      const scope = `${name}/block${block + 1}/unit_${unit}`;
      const shortcut = unit === 1 ? builder.convolution(`${scope}/shortcut`, flow) : flow;
      let inner = builder.convolution(`${scope}/conv1`, flow);
      inner = builder.convolution(`${scope}/conv2`, inner);
      inner = builder.convolution(`${scope}/conv3`, inner);
      const sum = builder.add(`${scope}/add`, "Add", [shortcut, inner]);
      flow = builder.add(`${scope}/Relu`, "Relu", [sum]);
    }
  });
  const pooled = builder.add(`${name}/pool5`, "Mean", [flow]);
  return builder.train(lossOf(builder, builder.dense(`${name}/logits`, pooled, null)));
}

/** Cells that each take what the two before them gave, in five branches. */
export function cells(count: number): Graph {
  const builder = new Builder();
  const images = builder.add("images", "Placeholder", []);
  let [before, flow] = [images, builder.convolution("conv0", images)];
  before = flow;
  for (let cell = 0; cell < count; cell++) {
    const scope = `cell_${cell}`;
    const left = builder.convolution(`${scope}/beginning_bn`, before);
    const right = builder.convolution(`${scope}/1x1`, flow);
    const branches = Array.from({ length: 5 }, (_, branch) => {
      const around = `${scope}/comb_iter_${branch}`;
      const one = builder.convolution(`${around}/left/separable_1`, branch % 2 ? left : right);
      const two = builder.convolution(`${around}/left/separable_2`, one);
      const other = builder.convolution(`${around}/right/separable`, branch % 3 ? right : left);
      return builder.add(`${around}/combine/add`, "Add", [two, other]);
    });
    const joined = builder.add(`${scope}/cell_output/concat`, "ConcatV2", branches);
    [before, flow] = [flow, joined];
  }
  const pooled = builder.add("final_layer/Mean", "Mean", [flow]);
  return builder.train(lossOf(builder, builder.dense("final_layer/FC", pooled, null)));
}

/** No scopes at all, gradients included; a learning phase that every layer asks for. */
export function flat(layers: number): Graph {
  const builder = new Builder();
  let flow = builder.add("x", "Placeholder", []);
  const phase = builder.add("learning_phase", "Placeholder", []);
  for (let layer = 0; layer < layers; layer++) {
    const weights = builder.add("Variable", "VariableV2", []);
    const product = builder.add("MatMul", "MatMul", [flow, weights]);
    const sum = builder.add("add", "Add", [product, builder.add("Variable", "VariableV2", [])]);
    const active = builder.add("Relu", "Relu", [sum]);
    const dropped = builder.add("Dropout", "Dropout", [active, phase]);
    flow = layer % 3 === 2 ? builder.add("residual", "Add", [dropped, flow]) : dropped;
  }
  let gradient = builder.add("grad_ys", "Fill", [], Role.backward);
  const forward = builder.names.length;
  for (let operation = forward - 1; operation >= 0; operation--) {
    if (builder.types[operation] === "Placeholder") continue;
    const type = `${builder.types[operation]}Grad`;
    gradient = builder.add("grad", type, [gradient, operation], Role.backward);
    if (builder.types[operation] !== "VariableV2") continue;
    builder.add("update", "ApplyGradientDescent", [operation, gradient], Role.update);
  }
  return builder.graph();
}
