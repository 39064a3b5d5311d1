//! Calls on single modules, as in PyTorch.

use super::App;
use crate::model::{Mode, ModuleCall, ModuleCalls, Outer, Semantics};

impl App {
    /// `.train()` or `.eval()` of a module. A name that the model lacks changes nothing: the window offers only
    /// names that it has.
    pub(super) fn call_module(&mut self, name: &str, mode: Mode) {
        let outer = match self.state.settings.call {
            Outer::Given(outer) => outer,
            Outer::NotGiven => Mode::Training,
        };
        let Some(base) = &mut self.state.opened.base else {
            return;
        };
        if let Ok(call) = ModuleCall::new(&base.model, name, mode) {
            base.flags.modules.push(call);
            base.flags.modules.simplify(&base.model.graph, outer);
            base.undone = ModuleCalls::default();
        }
    }

    /// What `model.train()` and `model.eval()` do to the calls on single modules before them.
    pub(super) fn forget_module_calls(&mut self) {
        let is_torch = self.state.semantics() == Semantics::PyTorch;
        if let Some(base) = self.state.opened.base.as_mut().filter(|_| is_torch) {
            base.undone = std::mem::take(&mut base.flags.modules);
        }
    }
}
