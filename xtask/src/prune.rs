use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use walrus::{FunctionBuilder, FunctionKind, Module, ModuleConfig};

/// Leptos can bring a page to life step by step, for pages whose code comes in parts (`hydrate_lazy`). Ours comes in one part and calls
/// `hydrate_body`, but every erased view keeps a pointer to the function for the other way, which holds it in the module: a seventh of all
/// code. As rustc mangles names, each segment follows its length.
const NEVER_CALLED: &str = "13hydrate_async";

/// The module without the bodies of functions that are never called, and without what only they call.
///
/// # Errors
/// When the module cannot be read, or holds no names to go by.
pub(crate) fn prune(module: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let mut module = ModuleConfig::new().strict_validate(false).generate_dwarf(false).parse(&bytes).context("no WebAssembly module")?;
    ensure!(module.funcs.iter().any(|function| function.name.is_some()), "the module has no names: the profile must not strip it");
    let never = |function: &&walrus::Function| function.name.as_deref().is_some_and(|name| name.contains(NEVER_CALLED));
    let never: Vec<_> = module.funcs.iter_local().filter_map(|(id, _)| never(&module.funcs.get(id)).then_some(id)).collect();
    for id in never {
        let (parameters, results) = module.types.params_results(module.funcs.get(id).ty());
        let (parameters, results) = (parameters.to_vec(), results.to_vec());
        let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
        // Should it be called after all, the browser stops there and names it.
        builder.func_body().unreachable();
        let arguments = parameters.iter().map(|&kind| module.locals.add(kind)).collect();
        module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
    }
    Ok(emit(module))
}

fn emit(mut module: Module) -> Vec<u8> {
    walrus::passes::gc::run(&mut module);
    module.emit_wasm()
}
