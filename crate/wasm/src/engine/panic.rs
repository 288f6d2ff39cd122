//! A panic ends the module: WebAssembly cannot unwind, and whatever was borrowed stays borrowed. All that can be
//! saved is the panic's text; the worker then asks the page for a fresh worker.

use std::sync::Once;

use wasm_bindgen::JsValue;

/// From now on a panic leaves its text in `globalThis.ecqxPanic` before it traps.
pub(super) fn keep_text() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let text = JsValue::from_str(&panic.to_string());
            // Nothing could be done about a failure here: the trap that follows is reported all the same.
            let _ = js_sys::Reflect::set(&js_sys::global(), &JsValue::from_str("ecqxPanic"), &text);
        }));
    });
}
