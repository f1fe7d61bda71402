# The cases, by kind. Run by make.py.
CONFIG, WEIGHTS, ARCH, MISSING = 'bad-config', 'bad-weights', 'unsupported-architecture', 'missing-file'
refused = lambda code, named='': {'refused': code, 'named': named}
loads = lambda why: {'loads': why}
EMBED, HEAD = 'model.embed_tokens.weight', 'lm_head.weight'
INDEX = 'model.safetensors.index.json'
for base in BASES:
    case('as it is', base=base)

# A: which file holds the weights
SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
FIRST, SECOND = {'drop': r'layers\.[12]\.|^model\.norm'}, {'drop': r'layers\.0\.|embed'}
NAMES = [f'model.layers.{i}.{n}.weight' for i in range(3) for n in ['input_layernorm', 'post_attention_layernorm', *(f'self_attn.{p}_proj' for p in 'qkvo'), *(f'mlp.{p}_proj' for p in ('gate', 'up', 'down'))]] + [EMBED, 'model.norm.weight']
MAP = {name: SHARDS[0 if 'layers.0' in name or 'embed' in name else 1] for name in NAMES}
def sharded(change=lambda m: m, first=FIRST, second=SECOND, path='', metadata=True, more=None):
    index = {**({'metadata': {'total_size': 1}} if metadata else {}), 'weight_map': change(dict(MAP))}
    return {path + SHARDS[0]: {'tensors': first}, path + SHARDS[1]: {'tensors': second}, INDEX: json.dumps(index), **(more or {})}
PRUNED = {'drop': r'layers\.1\.', 'rename': [[r'layers\.2\.', 'layers.1.']]}
case('two shards', files=sharded())
case('a pruned model.safetensors beside the old shards', {'num_hidden_layers': 2}, files=sharded(more={'model.safetensors': {'tensors': PRUNED}}), notes='ignored')
case('a whole model.safetensors beside an index of nothing', files={'model.safetensors': {'tensors': {}}, INDEX: json.dumps({'metadata': {}, 'weight_map': {EMBED: 'gone.safetensors'}})}, notes='ignored')
case('a broken index beside model.safetensors', files={'model.safetensors': {'tensors': {}}, INDEX: '{"weight'}, notes='ignored')
case('transformers_weights', {'transformers_weights': 'mine.safetensors'}, files={'mine.safetensors': {'tensors': {}}, 'model.safetensors': {'tensors': PRUNED}}, notes='mine.safetensors')
case('a variant alone', files={'model.fp16.safetensors': {'tensors': {}}}, ours=loads('the one file that there is'), notes='model.fp16')
case('shards without index', files={key: value for key, value in sharded().items() if key != INDEX}, ours=loads('one whole numbered set'), notes='no model.safetensors.index.json')
case('an adapter beside', files={'model.safetensors': {'tensors': {}}, 'adapter_model.safetensors': {'tensors': {'drop': 'layers'}}}, notes='')
case('an adapter alone', files={'adapter_model.safetensors': {'tensors': {'drop': 'layers'}}}, ours=refused(MISSING, 'LoRA adapter'))
case("Mistral's own file beside", files={'model.safetensors': {'tensors': {}}, 'consolidated.safetensors': {'tensors': {'drop': 'model'}}}, notes='')
case('shards in a folder below', files=sharded(lambda m: {k: f'weights/{v}' for k, v in m.items()}, path='weights/'))
case('paths that begin with ./', files=sharded(lambda m: {k: f'./{v}' for k, v in m.items()}))
case('paths that lead out', files=sharded(lambda m: {k: f'../{v}' for k, v in m.items()}), ours=refused(WEIGHTS, "model's folder"))

# B: the index believed before the shards
case('an index with a head that nobody has', files=sharded(lambda m: {**m, HEAD: SHARDS[1]}), notes='lm_head.weight')
case('an index with inv_freq that nobody has', files=sharded(lambda m: {**m, 'model.layers.0.self_attn.rotary_emb.inv_freq': SHARDS[1]}), notes='inv_freq')
case('an index that lacks a tensor', files=sharded(lambda m: {k: v for k, v in m.items() if k != 'model.norm.weight'}), notes='')
case('an index that lacks a block', files=sharded(lambda m: {k: v for k, v in m.items() if 'layers.2' not in k}), notes='')
case('an index with the wrong shard', files=sharded(lambda m: {**m, EMBED: SHARDS[1]}), notes='')
case('an index without metadata', files=sharded(metadata=False), ours=loads('nobody needs it'))
case('an index with an absent shard that nobody needs', files=sharded(lambda m: {**m, HEAD: 'model-00003-of-00003.safetensors'}), ours=loads('the head is tied'), notes='is missing')
case('an index with an absent shard of a needed tensor', files=sharded(lambda m: {**m, 'model.norm.weight': 'gone.safetensors'}, second={'drop': r'layers\.0\.|embed|^model\.norm'}), ours=refused(MISSING, 'gone.safetensors'))
case('a tensor in two shards, equal', files=sharded(second={**SECOND, 'add': {EMBED: [EMBED, 1]}}), notes='the last one is used')
case('a tensor in two shards, the second differs', files=sharded(second={**SECOND, 'add': {EMBED: [EMBED, 0.5]}}), notes='the last one is used')
case('a tensor in two shards, the first differs', files=sharded(first={**FIRST, 'add': {'model.norm.weight': ['model.norm.weight', 0.5]}}), notes='the last one is used')

# C: a flag believed before the tensors
def head(scale): return {'add': {HEAD: [EMBED, scale]}}
case('tied, and another head', tensors=head(0.7), notes='own weights')
case('tied, and the same head', tensors=head(1), notes='')
case('tied, and another head, in shards', files=sharded(lambda m: {**m, HEAD: SHARDS[1]}, second={**SECOND, **head(0.7)}), notes='own weights')
case('tied, and a head but no embedding', tensors={'drop': 'embed', **head(0.5)}, notes='is used as both')
case('tied, and neither', tensors={'drop': 'embed'}, ours=refused(WEIGHTS, 'embed'))
case('untied, and a head', {'tie_word_embeddings': False}, tensors=head(0.7), notes='')
case('untied, and no head', {'tie_word_embeddings': False}, ours=refused(WEIGHTS, 'lm_head.weight'))
case('tying not said, and no head', {'tie_word_embeddings': DELETE}, ours=refused(WEIGHTS, 'lm_head.weight'))
case('a tied head of other dims', tensors={'add': {HEAD: ['model.norm.weight', 1]}}, ours=refused(WEIGHTS, 'lmHead: expected [40, 16]'))
BIAS = {f'model.layers.{i}.self_attn.{p}_proj.bias': ['model.norm.weight' if p in 'qo' else f'model.layers.{i}.self_attn.k_proj.bias', 0.3] for i in range(3) for p in 'qo'}
case('biases that config.json does not ask for', tensors={'add': BIAS}, notes='belong to nothing')
case('biases asked for, and none', {'attention_bias': True}, notes='lacks the bias')
case('biases asked for, and some', {'attention_bias': True}, tensors={'add': {'model.layers.1.self_attn.q_proj.bias': ['model.norm.weight', 0.5]}}, notes='lacks the bias')
MLP_BIAS = {f'model.layers.{i}.mlp.{p}_proj.bias': [16 if p == 'down' else 24] for i in range(3) for p in ('gate', 'up', 'down')}
ATTENTION_BIAS = {f'model.layers.{i}.self_attn.{p}_proj.bias': [8 if p in 'kv' else 16] for i in range(3) for p in 'qkvo'}
def among(pattern, names=MLP_BIAS): return {name: dims for name, dims in names.items() if re.search(pattern, name)}
case('mlp_bias, and all', {'mlp_bias': True}, tensors={'make': MLP_BIAS}, notes='')
case('mlp_bias, and none', {'mlp_bias': True}, notes='lacks the bias')
case('mlp_bias, and one', {'mlp_bias': True}, tensors={'add': {'model.layers.1.mlp.down_proj.bias': ['model.norm.weight', 0.5]}}, notes='and 7 more')
for part in ('gate', 'up', 'down', 'gate|up', 'gate|down', 'up|down'):
    case(f'mlp_bias, and those of {part} only', {'mlp_bias': True}, tensors={'make': among(f'({part})_proj')}, notes='lacks the bias')
case('mlp_bias, and those of the last layer only', {'mlp_bias': True}, tensors={'make': among(r'layers\.2')}, notes='and 5 more')
for value in (DELETE, False):
    case(f'MLP biases, and mlp_bias {value}', {'mlp_bias': value}, tensors={'make': MLP_BIAS}, notes='belong to nothing')
case('biases of attention and MLP', {'attention_bias': True, 'mlp_bias': True}, tensors={'make': {**ATTENTION_BIAS, **MLP_BIAS}}, notes='')
case('biases of both asked for, and those of the MLP only', {'attention_bias': True, 'mlp_bias': True}, tensors={'make': MLP_BIAS}, notes='and 11 more')
case('biases of the MLP asked for, and both there', {'mlp_bias': True}, tensors={'make': {**ATTENTION_BIAS, **MLP_BIAS}}, notes='belong to nothing')
case('biases of both in some layers, as FLAP leaves them', {'attention_bias': True, 'mlp_bias': True}, tensors={'make': {**among(r'[12]\..*o_proj', ATTENTION_BIAS), **among(r'[12]\..*down')}}, notes='lacks the bias')
BIASED = {name: SHARDS[0 if 'layers.0' in name else 1] for name in MLP_BIAS}
case('mlp_bias in two shards', {'mlp_bias': True}, files=sharded(lambda m: {**m, **BIASED}, first={**FIRST, 'make': among(r'layers\.0')}, second={**SECOND, 'make': among(r'layers\.[12]')}), notes='')
case('mlp_bias in shards whose index does not name them', {'mlp_bias': True}, files=sharded(first={**FIRST, 'make': among(r'layers\.0')}, second={**SECOND, 'make': among(r'layers\.[12]')}), notes='')
case('mlp_bias in an index, and in no shard', {'mlp_bias': True}, files=sharded(lambda m: {**m, **BIASED}), notes='lacks the bias')
for dtype in ('BF16', 'F16'):
    case(f'mlp_bias in {dtype}', {'mlp_bias': True, 'attention_bias': True}, tensors={'make': {**ATTENTION_BIAS, **MLP_BIAS}, 'cast': [['.', dtype]]}, notes='')
    case(f'biases in {dtype} beside F32 matrices', {'mlp_bias': True}, tensors={'make': MLP_BIAS, 'cast': [[r'\.bias', dtype]]}, notes='')
case('mlp_bias without prefix', {'mlp_bias': True}, tensors={'rename': [[r'^model\.', '']], 'make': {name[6:]: dims for name, dims in MLP_BIAS.items()}}, notes="without 'model.'")
case('mlp_bias, and a layer without prefix', {'mlp_bias': True}, tensors={'rename': [[r'^model\.layers\.0\.', 'layers.0.']], 'make': {(name[6:] if 'layers.0' in name else name): dims for name, dims in MLP_BIAS.items()}}, notes="Some of the checkpoint's tensors")
case('mlp_bias, and a block was removed', {'mlp_bias': True, 'num_hidden_layers': 2}, tensors={**PRUNED, 'make': among(r'layers\.[01]')}, notes='')
case('mlp_bias, and fewer blocks than there are', {'mlp_bias': True, 'num_hidden_layers': 2}, tensors={'make': MLP_BIAS}, notes='3 blocks')
case('mlp_bias, and a bias of other size', {'mlp_bias': True}, tensors={'make': {**MLP_BIAS, 'model.layers.1.mlp.gate_proj.bias': [16]}}, ours=refused(WEIGHTS, 'gateBias of layer 1: expected [24]'))
case('mlp_bias, and a bias with a dimension too many', {'mlp_bias': True}, tensors={'make': {**MLP_BIAS, 'model.layers.0.mlp.down_proj.bias': [16, 1]}}, ours=refused(WEIGHTS, 'downBias of layer 0: expected [16]'))
case('a bias of the MLP of other size that config.json does not ask for', tensors={'make': {'model.layers.1.mlp.gate_proj.bias': [3]}}, notes='belong to nothing')
for base in BASES:
    if base != 'llama':
        case('mlp_bias in a family that does not read it', {'mlp_bias': True}, base, tensors={'make': MLP_BIAS}, notes='mlp_bias true is ignored')
for base in ('qwen3', 'gemma', 'gemma2', 'gemma3_text', 'olmo2'):
    case('attention_bias, and all', {'attention_bias': True}, base, tensors={'make': ATTENTION_BIAS}, notes='')
case('no biases where the family has them', base='qwen2', tensors={'drop': r'k_proj\.bias'}, notes='lacks the bias')
case('norms of heads in a family without', tensors={'add': {'model.layers.0.self_attn.q_norm.weight': ['model.norm.weight', 1]}}, notes='belong to nothing')
case('no norms of heads where the family has them', base='qwen3', tensors={'drop': 'q_norm'}, ours=refused(WEIGHTS, 'qNorm'))
case('fewer blocks than there are', {'num_hidden_layers': 2}, notes='3 blocks')
case('more blocks than there are', {'num_hidden_layers': 5}, ours=refused(WEIGHTS, 'tensors of 3 blocks'))
case('a norm is missing', tensors={'drop': r'^model\.norm'}, ours=refused(WEIGHTS, 'finalNorm'))
for field, value, named in [('vocab_size', 39, 'embed'), ('vocab_size', 48, 'embed'), ('intermediate_size', 20, 'gateProj'), ('head_dim', 8, 'qProj'), ('num_key_value_heads', DELETE, 'kProj'), ('num_key_value_heads', None, 'kProj'), ('num_key_value_heads', 3, 'divisor'), ('num_attention_heads', 8, 'qProj' if False else 'kProj'), ('hidden_size', 32, 'embed')]:
    case(f'{field} {value}', {field: value}, ours=refused(CONFIG if named == 'divisor' else WEIGHTS, named))
case('a dtype that lies', {'torch_dtype': 'bfloat16', 'dtype': 'float8_e4m3fn'})

# D: names of tensors
def named(prefix, also=()): return {'rename': [[r'^model\.', prefix], *also]}
case('no prefix', tensors=named(''), notes="without 'model.'")
case('some without prefix', tensors={'rename': [[r'^model\.layers\.0\.', 'layers.0.']]}, notes="Some of the checkpoint's tensors")
case('no prefix, in a family with other norms', base='gemma2', tensors=named(''), notes="without 'model.'")
case('no prefix and an own head', {'tie_word_embeddings': False}, tensors={**named(''), **head(0.7)}, notes="without 'model.'")
case('no prefix and no head', {'tie_word_embeddings': False}, tensors=named(''), ours=refused(WEIGHTS, 'lm_head'))
case('the prefix twice', tensors=named('model.model.'), notes='"model.model."')
for prefix in ['module.model.', '_orig_mod.model.', 'base_model.model.model.', 'language_model.model.', 'model.language_model.', 'language_model.', 'transformer.']:
    case(f'{prefix}', tensors=named(prefix), ours=loads('only one model can be meant'), notes='transformers would not find them')
case('module. with an own head', {'tie_word_embeddings': False}, tensors={'rename': [[r'^model\.', 'module.model.']], 'add': {'module.lm_head.weight': [EMBED, 0.7]}}, ours=loads('only one model can be meant'), notes='transformers would not')
case('model and draft', tensors={'add': {f'draft.{name}': [name, 0.5] for name in NAMES}}, notes='')
case('two models', tensors={'rename': [[r'^model\.', 'a.']], 'add': {f'b.{name[6:]}': [name, 0.5] for name in NAMES}}, ours=refused(WEIGHTS, 'contains 2 models'))
case('with and without prefix', tensors={'add': {name[6:]: [name, 0.5] for name in NAMES}}, ours=refused(WEIGHTS, 'contains 2 models'))
case('LoRA around the weights', tensors={'rename': [[r'q_proj\.weight', 'q_proj.base_layer.weight']], 'add': {'model.layers.0.self_attn.q_proj.lora_A.default.weight': ['model.norm.weight', 1]}}, ours=refused(WEIGHTS, 'LoRA'))
case('a vision tower beside', tensors={**named('model.language_model.'), 'add': {f'model.vision_tower.encoder.layers.{i}.self_attn.{p}_proj.weight': [EMBED, 1] for i in range(4) for p in 'qkv'}}, ours=loads('only one language model'), notes='transformers would not')
case('the names of GPT-2', tensors={'rename': [[r'^model\.layers\.', 'transformer.h.'], [r'self_attn\.\w+', 'attn.c_attn'], ['mlp.gate_proj', 'mlp.c_fc']]}, ours=refused(WEIGHTS, 'GPT-2'))
case('the names of Meta', tensors={'rename': [[r'^model\.', ''], [r'self_attn\.q_proj', 'attention.wq']]}, ours=refused(WEIGHTS, 'original layout'))
case('nothing of a model', tensors={'drop': 'model', 'add': {'x': [EMBED, 1]}}, ours=refused(WEIGHTS, 'no tensor has a name'))

# E: a field nobody needs
for field, value in [('eos_token_id', 9999), ('eos_token_id', [2, 9999]), ('eos_token_id', -1), ('bos_token_id', 9999), ('bos_token_id', -1)]:
    case(f'{field} {value}', {field: value}, notes=field)
for field, value in [('eos_token_id', '</s>'), ('eos_token_id', 2.5), ('eos_token_id', {'constructor': 1}), ('bos_token_id', [1]), ('bos_token_id', 'x')]:
    case(f'{field} {value}', {field: value}, ours=loads('no number depends on it'), notes=field if value != [1] else '')
for field, value in [('pad_token_id', -1), ('use_cache', False), ('initializer_range', 0.5), ('pretraining_tp', 4), ('attention_dropout', 0.5), ('task_specific_params', {'a': [1]}), ('id2label', {'0': 'x'}), ('auto_map', {'AutoModel': 'x.y'}), ('sliding_window', 0), ('sliding_window', -3), ('max_window_layers', None), ('use_sliding_window', 'x'), ('sliding_window_pattern', 0), ('architectures', None), ('architectures', []), ('architectures', 'LlamaForCausalLM'), ('architectures', [1]), ('architectures', ['constructor']), ('architectures', ['MistralForCausalLM']), ('architectures', ['LlamaModel']), ('constructor', 1), ('toString', {'x': 1}), ('hasOwnProperty', None), ('quantization_config', None)]:
    case(f'{field} {value}', {field: value}, notes='')
case('sliding_window x', {'sliding_window': 'x'}, ours=loads('LLaMA has no windows'))
case('use_cache text', {'use_cache': 'yes'}, ours=loads('no number depends on it'))
case('pad_token_id 9999', {'pad_token_id': 9999}, ours=loads('no number depends on it'))
case('query_pre_attn_scalar in LLaMA', {'query_pre_attn_scalar': 100, 'final_logit_softcapping': 1.0, 'attn_logit_softcapping': 1.0}, notes='query_pre_attn_scalar')
case('a cap on scores in Gemma 3', {'attn_logit_softcapping': 0.5}, base='gemma3_text', notes='attn_logit_softcapping')
case('attention_bias in Mistral', {'attention_bias': True}, base='mistral', notes='attention_bias')
case('quantized', {'quantization_config': {'quant_method': 'gptq', 'bits': 4}}, ours=refused(ARCH, 'gptq'))
case('quantized, by nothing', {'quantization_config': {}}, ours=refused(ARCH, 'quantized'))
case('generation_config.json cut off', files={'model.safetensors': {'tensors': {}}, 'generation_config.json': '{"eos_token_id": 2, "bos'})
case('generation_config.json with text', files={'model.safetensors': {'tensors': {}}, 'generation_config.json': '{"eos_token_id": "</s>"}'})

# F: Python's JSON
case('Infinity', append=', "time_step_limit": [0.0, Infinity]')
case('NaN and -Infinity', append=', "x": NaN, "y": {"z": -Infinity}')
case('a number said twice', append=', "rope_theta": 5000.0')
case('a huge number', append=', "model_max_length": 1000000000000000019884624838656')
case('half a surrogate pair', append=', "x": "\\ud800"')
case('__proto__', append=', "__proto__": {"rope_theta": 5000.0, "hidden_act": "gelu"}')
case('a comma too many', append=',', ours=refused(CONFIG, 'in column'))
case('a tab in a string', append=', "x": "a\tb"', ours=refused(CONFIG, 'malformed'))
case('values 200 deep', append=', "x": ' + '[' * 200 + ']' * 200)
case('values 1000 deep', append=', "x": ' + '[' * 1000 + ']' * 1000, ours=refused(CONFIG, 'deep'))
case('Infinity where a number counts', append=', "rope_theta": Infinity', ours=refused(CONFIG, 'rope_theta'))

# G: precedence and aliases
def rope(**fields): return {'rope_parameters': fields}
def old(**fields): return {'rope_scaling': fields}
case('θ outside and inside', {'rope_theta': 5000.0, **rope(rope_theta=100.0, rope_type='default')}, notes='rope_theta')
case('θ outside and inside, the other way', {'rope_theta': 100.0, **rope(rope_theta=5000.0, rope_type='default')}, notes='rope_theta')
case('θ inside alone', {'rope_theta': DELETE, **rope(rope_theta=5000.0, rope_type='default')}, notes='')
case('θ outside alone', {'rope_theta': 5000.0, **rope(rope_type='default')}, notes='')
case('θ unsaid', {'rope_theta': DELETE})
case('θ null', {'rope_theta': None}, ours=loads('null is nothing said: 10000'))
case('linear, in the old words', old(type='linear', factor=2.0))
case('linear, in the new words', rope(rope_type='linear', factor=2.0))
case('rope_scaling before rope_parameters', {**old(type='linear', factor=2.0), **rope(rope_type='default', rope_theta=5000.0)}, notes='rope_scaling is used')
case('an empty rope_scaling', {**old(), **rope(rope_type='linear', factor=2.0)}, notes='')
case('rope_type before type', old(type='linear', rope_type='default', factor=2.0), notes='')
case('rope_type before type, the other way', old(type='default', rope_type='linear', factor=2.0))
case('a kind unsaid', old(factor=2.0), notes='')
case('a constructor', old(constructor=1), notes='')
case('a __proto__', append=', "rope_scaling": {"__proto__": {"factor": 4, "rope_type": "linear"}}')
case('prototype names', old(toString=1, hasOwnProperty=2, valueOf=None))
case('a kind named constructor', old(rope_type='constructor'), ours=refused(ARCH, 'constructor'))
case('a kind that is no text', old(rope_type=7), ours=refused(ARCH, '7'))
case('a kind that is deep', append=', "rope_scaling": {"rope_type": ' + '[' * 500 + ']' * 500 + '}', ours=refused(ARCH, 'rotary'))
case('dynamic', old(type='dynamic', factor=2.0))
for value in (0, -1.0, 1e308, '2', None):
    case(f'linear by {value}', old(type='linear', factor=value), ours=refused(CONFIG, 'factor'))
case('linear by nothing', old(type='linear'), ours=refused(CONFIG, 'factor'))
case('linear by NaN', append=', "rope_scaling": {"type": "linear", "factor": NaN}', ours=refused(CONFIG, 'factor'))
case('linear by a half', old(type='linear', factor=0.5))
L3 = {'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0, 'original_max_position_embeddings': 16}
case('llama3', old(**L3))
case('llama3, positions outside', {**old(**L3), 'original_max_position_embeddings': 24}, notes='original_max_position_embeddings')
case('llama3, positions only outside', {**old(**{k: v for k, v in L3.items() if k != 'original_max_position_embeddings'}), 'original_max_position_embeddings': 24})
case('llama3, positions unsaid', old(**{k: v for k, v in L3.items() if k != 'original_max_position_embeddings'}))
YARN = {'rope_type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 16, 'beta_fast': 4, 'beta_slow': 1}
case('yarn', old(**YARN))
case('yarn, positions outside', {**old(**YARN), 'original_max_position_embeddings': 48}, notes='original_max_position_embeddings')
case('yarn with mscale', rope(**YARN, mscale=1.0, mscale_all_dim=0.5))
case('partial_rotary_factor outside', {'partial_rotary_factor': 0.5}, notes='partial_rotary_factor')
case('partial_rotary_factor inside', rope(rope_type='default', partial_rotary_factor=0.5), notes='partial_rotary_factor')
for value in (0.0, -1.0, 1e300, '100'):
    case(f'θ {value}', {'rope_theta': value}, ours=refused(CONFIG, 'rope_theta'))
for value in (0.0, 0.5):
    case(f'rms_norm_eps {value}', {'rms_norm_eps': value})
for value in (-1.0, 1e300, '1e-5'):
    case(f'rms_norm_eps {value}', {'rms_norm_eps': value}, ours=refused(CONFIG, 'rms_norm_eps'))
for act in ('swish', 'gelu_pytorch_tanh', 'gelu_new', 'gelu_fast', 'gelu_accurate', 'gelu_python_tanh'):
    case(f'hidden_act {act}', {'hidden_act': act})
for act in ('gelu', 'relu', 'quick_gelu', 'mish', 'SiLU', 'constructor', '__proto__', 'gelu_10'):
    case(f'hidden_act {act}', {'hidden_act': act}, ours=refused(ARCH, act))
case('hidden_act unsaid', {'hidden_act': DELETE})
case('hidden_act gelu', {'hidden_act': 'gelu'}, base='gemma')
case('hidden_activation beside hidden_act', {'hidden_act': 'gelu', 'hidden_activation': 'relu'}, base='gemma')
case('hidden_act beside hidden_activation', {'hidden_act': 'relu'}, base='gemma2')
case('hidden_activation silu', {'hidden_activation': 'silu'}, base='gemma2')
case('sliding_window_pattern', {'sliding_window_pattern': 3}, base='gemma2')
case('layer_types that nobody reads', {'layer_types': ['sliding_attention'] * 3, 'sliding_window': 4}, notes='layer_types')
case('layer_types that nobody reads', {'layer_types': ['full_attention'] * 3}, base='mistral', ours=refused(ARCH, 'full_attention'))
case('too few layer_types', {'layer_types': ['full_attention'] * 2}, ours=refused(CONFIG, 'layer_types'))
case('no window', {'sliding_window': None}, base='mistral')
case('a window', {'use_sliding_window': True, 'sliding_window': 4, 'max_window_layers': 1}, base='qwen2')
case('a window that is not used', {'use_sliding_window': False, 'sliding_window': 4, 'max_window_layers': 0}, base='qwen3')
case('a window in chosen layers', {'use_sliding_window': True, 'sliding_window': 4, 'layer_types': ['sliding_attention', 'full_attention', 'sliding_attention']}, base='qwen3')
case('layer_types', {'layer_types': ['full_attention', 'full_attention', 'sliding_attention']}, base='gemma3_text')
case('linear in the old words', {'rope_scaling': {'rope_type': 'linear', 'factor': 4.0}}, base='gemma3_text')
case('rotary embeddings by type of layer', {'rope_theta': DELETE, 'rope_local_base_freq': DELETE, 'rope_parameters': {'full_attention': {'rope_type': 'linear', 'factor': 2.0, 'rope_theta': 300.0}, 'sliding_attention': {'rope_type': 'default', 'rope_theta': 30.0}}}, base='gemma3_text')
case('rotary embeddings by type of layer, θ outside', {'rope_theta': 300.0, 'rope_local_base_freq': 30.0, 'rope_parameters': {'full_attention': {'rope_type': 'linear', 'factor': 2.0}, 'sliding_attention': {'rope_type': 'default'}}}, base='gemma3_text')
case('rotary embeddings by type of layer, one null', {'rope_parameters': {'full_attention': {'rope_type': 'linear', 'factor': 2.0}, 'sliding_attention': None}}, base='gemma3_text')
case('rotary embeddings of all layers', {'rope_parameters': {'rope_type': 'linear', 'factor': 2.0, 'rope_theta': 30.0}}, base='gemma3_text', notes='no layer type')
case('rope_parameters for types of layer', {'rope_parameters': {'full_attention': {'rope_type': 'default', 'rope_theta': 30.0}}}, ours=refused(ARCH, 'full_attention'))
case('model_type missing', {'model_type': DELETE}, ours=loads('architectures says it'), notes='model_type')
case('model_type and architectures missing', {'model_type': DELETE, 'architectures': DELETE}, ours=refused(CONFIG, 'model_type'))
case('another model_type of one layout', {'model_type': 'mistral'}, notes='')
for value in ('LLAMA', 'constructor', '__proto__', '', 'gpt2'):
    case(f"model_type '{value}'", {'model_type': value}, ours=refused(ARCH, 'model_type'))
case('whole numbers with a point', append=', "num_attention_heads": 4.0', ours=loads('JSON has one kind of number'))
for field, value in [('tie_word_embeddings', 'true'), ('tie_word_embeddings', 1), ('attention_bias', 0), ('mlp_bias', 'x'), ('mlp_bias', 1), ('mlp_bias', 'true'), ('hidden_size', 0), ('hidden_size', -16), ('hidden_size', 1e9), ('vocab_size', 2**40), ('num_hidden_layers', 0), ('num_hidden_layers', 2**31), ('num_attention_heads', 0), ('num_key_value_heads', 0), ('head_dim', 0), ('head_dim', 5), ('intermediate_size', 1e308), ('max_position_embeddings', None), ('max_position_embeddings', -1), ('layer_types', 7), ('rope_scaling', 'linear'), ('rope_parameters', [1])]:
    case(f'{field} {value!r}', {field: value}, ours=refused(CONFIG, field if field != 'head_dim' or value == 0 else 'head dimension'))
case('head_dim null', {'head_dim': None})
