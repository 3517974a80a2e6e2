//! Templates of Home Assistant: Jinja, cut off when one takes too long or makes too much.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::{Environment, UndefinedBehavior, context};

use super::speech::{Extract, Form, Speech};
use crate::device::clean_text;

/// Longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;
/// Longest text that one may make, in bytes.
pub const MAX_MADE_BYTES: usize = 64 * 1024;
/// Steps that one may take: some milliseconds.
const FUEL: u64 = 20_000;
/// Different templates known at once.
const MOST_TEMPLATES: usize = 60_000;

/// Why a template says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be read.
    #[error("template \"{template}\" cannot be read: {why}")]
    Unreadable {
        /// The template, cut.
        template: String,
        /// What is wrong with it.
        why: String,
    },
    /// It took too long, made too much, or met something that it cannot work with.
    #[error("template \"{template}\" failed: {why}")]
    Failed {
        /// The template, cut.
        template: String,
        /// What happened.
        why: String,
    },
}

/// All templates in use, each read once.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// By what they say; the number is their name in the environment.
    known: HashMap<Arc<str>, Result<String, TemplateError>>,
}

impl Default for Templates {
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(20);
        Self { environment, known: HashMap::new() }
    }
}

impl Templates {
    /// Reads a template, unless it is known.
    pub fn prepare(&mut self, template: &str) {
        if self.known.contains_key(template) || self.known.len() >= MOST_TEMPLATES {
            return;
        }
        let name = self.known.len().to_string();
        let read = if template.len() > MAX_TEMPLATE_BYTES {
            Err(unreadable(template, &format!("it has more than {MAX_TEMPLATE_BYTES} bytes")))
        } else {
            match self.environment.add_template_owned(name.clone(), template.to_owned()) {
                Ok(()) => Ok(name),
                Err(error) => Err(unreadable(template, &error.to_string())),
            }
        };
        self.known.insert(template.into(), read);
    }

    /// Reads all templates of a speech.
    pub fn prepare_all(&mut self, speech: &Speech) {
        let reads = speech.reads.iter().map(|read| &read.extract);
        for extract in reads.chain(speech.presence.iter().map(|presence| &presence.extract)) {
            if let Extract::Template(template) = extract {
                self.prepare(template);
            }
        }
        for write in &speech.writes {
            self.prepare_form(&write.form);
        }
    }

    fn prepare_form(&mut self, form: &Form) {
        match form {
            Form::Template(template) => self.prepare(template),
            Form::Json { form, .. } | Form::Rpc { form, .. } => self.prepare_form(form),
            Form::Word { .. } | Form::Number { .. } | Form::Mired | Form::Color(_) | Form::Sparkplug { .. } => {}
        }
    }

    /// What a template makes of a value: `value` is its text, `value_json` what that is as JSON, or undefined.
    ///
    /// # Errors
    /// [`TemplateError`] names the template.
    pub fn render(&self, template: &str, value: &str, value_json: &minijinja::Value) -> Result<String, TemplateError> {
        self.run(template, context! { value => value, value_json => value_json })
    }

    /// What a template makes of what is asked.
    ///
    /// # Errors
    /// [`TemplateError`] names the template.
    pub fn render_command(&self, template: &str, value: minijinja::Value) -> Result<String, TemplateError> {
        self.run(template, context! { value => value })
    }

    fn run(&self, template: &str, context: minijinja::Value) -> Result<String, TemplateError> {
        let failed = |why: &str| TemplateError::Failed { template: clean_text(template, 80), why: clean_text(why, 120) };
        let name = match self.known.get(template) {
            Some(Ok(name)) => name,
            Some(Err(error)) => return Err(error.clone()),
            None => return Err(failed("there are too many templates")),
        };
        let found = self.environment.get_template(name).map_err(|error| failed(&error.to_string()))?;
        let mut made = Bounded(Vec::new());
        found.render_captured_to(context, &mut made).map_err(|error| failed(&error.to_string()))?;
        String::from_utf8(made.0).map_err(|_| failed("it made no text"))
    }
}

fn unreadable(template: &str, why: &str) -> TemplateError {
    TemplateError::Unreadable { template: clean_text(template, 80), why: clean_text(why, 120) }
}

/// Takes so much and no more.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_MADE_BYTES {
            return Err(std::io::Error::other("it makes too much"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
