//! Templates of Home Assistant: Jinja, cut off when one takes too long or makes too much.

/// What Home Assistant adds to Jinja.
mod filters;
/// Whether a template could build something that no machine can look at.
mod shape;
/// Templates that only name a place in the payload.
mod simple;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use minijinja::{Environment, UndefinedBehavior, context};

use super::speech::{Extract, Form, Speech};
use crate::device::clean_text;

pub use simple::extract;

/// Longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;
/// Longest text that one may make, in bytes.
pub const MAX_MADE_BYTES: usize = 64 * 1024;
/// Steps that one may take, 64 bytes made being one: a millisecond or so.
const FUEL: u64 = 3_000;
/// Different templates known at once.
const MOST_TEMPLATES: usize = 60_000;
/// Bytes of all of them: read, one takes a multiple of what it is long.
const MOST_BYTES: usize = 16 * 1024 * 1024;

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

/// Templates that are new before it is looked again which of all are in use: a look takes time that grows with the fleet.
const NEWS: usize = 100;

/// All templates in use, each read once.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// By what they say; the number is their name in the environment.
    known: HashMap<Arc<str>, Result<String, TemplateError>>,
    n_bytes: usize,
    /// The name of the next one in the environment.
    n_read: u64,
    /// New ones since it was looked which are in use, whether there was room for them or not.
    n_news: usize,
}

impl Default for Templates {
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(20);
        filters::add_all(&mut environment);
        Self { environment, known: HashMap::new(), n_bytes: 0, n_read: 0, n_news: NEWS }
    }
}

impl Templates {
    /// Reads a template, unless it is known.
    pub fn prepare(&mut self, template: &str) {
        // One that is too long is not kept, nor is it read: whoever asks for it is told.
        if self.known.contains_key(template) || template.len() > MAX_TEMPLATE_BYTES {
            return;
        }
        self.n_news = self.n_news.saturating_add(1);
        if !self.has_room(template.len()) {
            return;
        }
        self.n_read += 1;
        let name = self.n_read.to_string();
        self.n_bytes += template.len();
        let added = |environment: &mut Environment<'static>| match environment.add_template_owned(name.clone(), template.to_owned()) {
            Ok(()) => Ok(name),
            Err(error) => Err(unreadable(template, &error.to_string())),
        };
        let read = match shape::refuse(template) {
            Some(why) => Err(unreadable(template, why)),
            None => added(&mut self.environment),
        };
        self.known.insert(template.into(), read);
    }

    /// Reads all templates of a speech.
    pub fn prepare_all(&mut self, speech: &Speech) {
        each_template(speech, &mut |template| self.prepare(template));
    }

    fn has_room(&self, n_bytes: usize) -> bool {
        self.known.len() < MOST_TEMPLATES && self.n_bytes + n_bytes <= MOST_BYTES
    }

    /// Whether there is no room for those of a speech, and it is time to look which of all are in use.
    #[must_use]
    pub fn wants_room(&self, speech: &Speech) -> bool {
        let mut n_bytes = 0;
        each_template(speech, &mut |template| {
            if template.len() <= MAX_TEMPLATE_BYTES && !self.known.contains_key(template) {
                n_bytes += template.len();
            }
        });
        n_bytes > 0 && self.n_news >= NEWS && !self.has_room(n_bytes)
    }

    /// Forgets templates that none of these has; those of them that there was no room for are read now.
    pub fn keep_only<'a>(&mut self, used: impl Iterator<Item = &'a Speech> + Clone) {
        let mut of_use: HashSet<&str> = HashSet::new();
        used.clone().for_each(|speech| {
            each_template(speech, &mut |template| {
                of_use.insert(template);
            });
        });
        let Self { environment, known, n_bytes, .. } = self;
        known.retain(|template, read| {
            let is_used = of_use.contains(&**template);
            if !is_used {
                *n_bytes -= template.len();
                if let Ok(name) = read {
                    environment.remove_template(name);
                }
            }
            is_used
        });
        used.for_each(|speech| self.prepare_all(speech));
        self.n_news = 0;
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

    /// What a template makes of several parts of what is asked, each under its own name.
    ///
    /// # Errors
    /// [`TemplateError`] names the template.
    pub fn render_parts(&self, template: &str, parts: minijinja::Value) -> Result<String, TemplateError> {
        self.run(template, parts)
    }

    fn run(&self, template: &str, context: minijinja::Value) -> Result<String, TemplateError> {
        let failed = |why: &str| TemplateError::Failed { template: clean_text(template, 80), why: clean_text(why, 120) };
        let name = match self.known.get(template) {
            Some(Ok(name)) => name,
            Some(Err(error)) => return Err(error.clone()),
            None if template.len() > MAX_TEMPLATE_BYTES => {
                return Err(unreadable(template, &format!("it has more than {MAX_TEMPLATE_BYTES} bytes")));
            }
            None => return Err(failed("there are too many templates")),
        };
        let found = self.environment.get_template(name).map_err(|error| failed(&error.to_string()))?;
        let mut made = Bounded(Vec::new());
        if let Err(error) = found.render_captured_to(context, &mut made) {
            // `is_defined` of what is not there: nothing is said, and nothing is wrong.
            return if filters::is_silence(&error) { Ok(String::new()) } else { Err(failed(&error.to_string())) };
        }
        String::from_utf8(made.0).map_err(|_| failed("it made no text"))
    }
}

/// Whether what a template made says nothing: Home Assistant's words for a value that is not known.
#[must_use]
pub fn says_nothing(made: &str) -> bool {
    matches!(made.trim(), "" | "None" | "unknown" | "unavailable")
}

/// All templates of a speech.
fn each_template<'a>(speech: &'a Speech, each: &mut impl FnMut(&'a str)) {
    let reads = speech.reads.iter().map(|read| &read.extract);
    let presence = speech.presence.iter().map(|presence| &presence.extract);
    for extract in reads.chain(presence).chain(speech.attributes.iter().map(|source| &source.extract)) {
        if let Extract::Template(template) = extract {
            each(template);
        }
    }
    speech.writes.iter().for_each(|write| each_of_form(&write.form, each));
}

fn each_of_form<'a>(form: &'a Form, each: &mut impl FnMut(&'a str)) {
    match form {
        Form::Template(template) => each(template),
        Form::Json { form, .. } | Form::Rpc { form, .. } => each_of_form(form, each),
        Form::Made { template, form } => {
            each(template);
            each_of_form(form, each);
        }
        Form::Look { on, off, .. } => {
            each(on);
            each(off);
        }
        Form::Word { .. } | Form::Number { .. } | Form::Mired | Form::Color(_) | Form::Sparkplug { .. } | Form::Beside => {}
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
