"""What transformers makes of odd checkpoints: writes cases.json, which reference.test.ts loads the same way.

    python make.py            # transformers 5.18, torch, safetensors

Every case is a small change to a whole tiny model: of config.json, of the names and values of its tensors, of its files.
The weights are a formula of name and position, so that nothing but the changes is stored. `reference` is the mean negative
log-likelihood of two sequences in transformers, or what it raises; `ours` says how we answer where that differs, and why.
"""
import copy
import json
import os
import re
import shutil
import tempfile

os.environ['HF_HUB_OFFLINE'] = '1'
import numpy
import torch
import transformers
from safetensors.torch import save_file

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))
SEQUENCES = [[(7 * i * i + 3 * i + w) % 40 for i in range(20)] for w in range(2)]
COMMON = {
    'hidden_size': 16, 'intermediate_size': 24, 'num_hidden_layers': 3, 'num_attention_heads': 4, 'num_key_value_heads': 2,
    'vocab_size': 40, 'max_position_embeddings': 64, 'rms_norm_eps': 1e-5, 'bos_token_id': 1, 'eos_token_id': 2, 'pad_token_id': None,
}
GEMMA = {'head_dim': 4, 'query_pre_attn_scalar': 4, 'sliding_window': 6, 'hidden_activation': 'gelu_pytorch_tanh'}
BASES = {
    'llama': {'architectures': ['LlamaForCausalLM'], 'rope_theta': 100.0, 'hidden_act': 'silu', 'tie_word_embeddings': True},
    'mistral': {'rope_theta': 100.0, 'sliding_window': 6, 'tie_word_embeddings': True},
    'qwen2': {'rope_theta': 100.0, 'tie_word_embeddings': True},
    'qwen3': {'rope_theta': 100.0, 'head_dim': 4, 'tie_word_embeddings': True},
    'gemma': {'head_dim': 4, 'hidden_act': 'gelu_pytorch_tanh'},
    'gemma2': GEMMA,
    'gemma3_text': {**GEMMA, 'sliding_window_pattern': 3, 'rope_theta': 1000.0, 'rope_local_base_freq': 50.0},
    'olmo2': {'rope_theta': 100.0, 'tie_word_embeddings': True},
}
DELETE = '$delete'
DTYPES = {'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16}
cases = []


def case(name, config=None, base='llama', *, tensors=None, files=None, append='', ours=None, notes=None):
    """tensors: {'drop', 'rename', 'add', 'make', 'cast'}; files: name → text, or {'tensors': …}; ours: {'refused': code, 'named': text}."""
    if any(each['name'] == name and each['base'] == base for each in cases):
        raise ValueError(name)
    cases.append({
        'name': name, 'base': base, 'config': config or {}, 'append': append,
        'files': files if files is not None else {'model.safetensors': {'tensors': tensors or {}}},
        **({'ours': ours} if ours else {}), **({'notes': notes} if notes is not None else {}),
    })


def values(name, dims):
    count = int(numpy.prod(dims))
    seed = 0
    for char in name.encode():
        seed = (seed * 31 + char) & 0xFFFFFFFF
    x = (numpy.arange(count, dtype=numpy.uint64) * 2654435761 + seed) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 2246822519) & 0xFFFFFFFF
    x ^= x >> 13
    x = (x * 3266489917) & 0xFFFFFFFF
    unit = (x >> 8).astype(numpy.float32) / numpy.float32(2**24) - numpy.float32(0.5)
    return torch.from_numpy(unit + numpy.float32(1 if 'norm' in name else 0)).reshape(dims)


def config_of(each):
    config = {'model_type': each['base'], **COMMON, **copy.deepcopy(BASES[each['base']]), **copy.deepcopy(each['config'])}
    return {key: value for key, value in config.items() if value != DELETE}


def whole(base):
    config = transformers.AutoConfig.for_model(base, **{**COMMON, **copy.deepcopy(BASES[base])})
    state = transformers.AutoModelForCausalLM.from_config(config).state_dict()
    return {name: values(name, list(tensor.shape)) for name, tensor in state.items() if name != 'lm_head.weight'}


def changed(tensors, change):
    """drop → rename → add → make → cast: add multiplies a tensor of the base, make says the dims of a new one, cast the type of some."""
    found = {name: tensor for name, tensor in tensors.items() if not re.search(change.get('drop', '^$'), name)}
    for pattern, replacement in change.get('rename', []):
        found = {re.sub(pattern, replacement, name, count=1): tensor for name, tensor in found.items()}
    for name, (source, scale) in change.get('add', {}).items():
        found[name] = tensors[source] * scale
    for name, dims in change.get('make', {}).items():
        found[name] = values(name, dims)
    for pattern, dtype in change.get('cast', []):
        found = {name: tensor.to(DTYPES[dtype]) if re.search(pattern, name) else tensor for name, tensor in found.items()}
    return found


def write(each, folder):
    text = json.dumps(config_of(each))
    with open(f'{folder}/config.json', 'w') as file:
        file.write(text[:-1] + each['append'] + '}')
    base = whole(each['base'])
    for name, content in each['files'].items():
        os.makedirs(os.path.dirname(f'{folder}/{name}'), exist_ok=True)
        if isinstance(content, str):
            with open(f'{folder}/{name}', 'w') as file:
                file.write(content)
        else:
            found = changed(base, content['tensors'])
            save_file({key: value.contiguous().clone() for key, value in found.items()}, f'{folder}/{name}', {'format': 'pt'})


def judged(each):
    folder = tempfile.mkdtemp()
    try:
        write(each, folder)
        torch.manual_seed(0)
        model, info = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True, attn_implementation='eager')
        tokens = torch.tensor(SEQUENCES)
        with torch.no_grad():
            logits = model.eval()(tokens, use_cache=False).logits.double()
        nll = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        missing = sorted(info['missing_keys'])
        made = [name for name in missing if not name.endswith('.bias')]
        if made:
            return {'made': made[0]}  # newly initialised: at random, or norms of 1
        return {'nll': round(float(nll), 7)} if torch.isfinite(nll) else {'nll': None}
    except Exception as error:
        return {'raises': f'{type(error).__name__}: {error}'.replace('\n', ' ').replace(folder, '…')[:160]}
    finally:
        shutil.rmtree(folder)


exec(open(f'{HERE}/cases.py').read())
for each in cases:
    # Sizes beyond sense would be built for hours.
    big = any(isinstance(value, (int, float)) and value > 1e6 for key, value in each['config'].items() if 'hidden' in key or 'size' in key)
    each['reference'] = {'raises': 'not tried'} if big else judged(each)
    same = 'nll' in each['reference'] and each['reference']['nll'] is not None
    if not same and 'ours' not in each:
        print('UNDECIDED', each['base'], each['name'], each['reference'])
    print(each['base'], '|', each['name'], '|', each['reference'], '|', each.get('ours', ''), flush=True)
with open(f'{HERE}/cases.json', 'w') as file:
    file.write('{"sequences": ' + json.dumps(SEQUENCES) + ',\n"common": ' + json.dumps(COMMON) + ',\n"bases": ' + json.dumps(BASES) + ',\n"cases": [\n')
    file.write(',\n'.join(json.dumps(each, ensure_ascii=False) for each in cases) + '\n]}\n')
