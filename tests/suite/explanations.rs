//! "What you see": each view leads with one conclusion in one sentence that stands out, with numbers of this batch.

use eframe::egui::Context;
use modelens::app::{App, AppOptions};
use modelens::command::{Action, Command, PipelineCommand};
use modelens::model::{Mode, Outer, Semantics};
use modelens::state::View;
use modelens::views::explanation;
use modelens_jobs::{ModelSource, PhotosSource};

use crate::support::files::{drawn, fixture};

fn check(text: &str, what: &str) {
    let parts: Vec<&str> = text.split("**").collect();
    let [before, conclusion, rest] = parts[..] else {
        panic!("{what}: one part stands out: {text:?}");
    };
    assert!(before.is_empty(), "{what}: it comes first: {text:?}");
    assert!(
        conclusion.ends_with('.'),
        "{what}: a sentence: {conclusion:?}"
    );
    // "0.5. The" would be two.
    let sentences = conclusion.matches(". ").count();
    assert_eq!(sentences, 0, "{what}: one sentence: {conclusion:?}");
    assert!(
        conclusion.contains(|c: char| c.is_ascii_digit()),
        "{what}: no number: {conclusion:?}"
    );
    assert!(conclusion.len() < 200, "{what}: too long: {conclusion:?}");
    let bold = rest.trim_start();
    assert!(
        rest.starts_with('\n') || bold.is_empty(),
        "{what}: {text:?}"
    );
}

#[test]
fn each_view_leads_with_one_conclusion_under_all_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    drawn(folder.path(), &[2, 2]);
    let ctx = Context::default();
    let options = AppOptions {
        model: ModelSource::File(fixture("alpaca_plain_open_keras3/model.h5")),
        photos: PhotosSource::Folder(folder.path().to_owned()),
        ..AppOptions::default()
    };
    let mut app = App::in_context(&ctx, options).expect("a thread");
    app.settle(&ctx);
    app.command(&ctx, Command::SetBatch(3));
    let mut checked = 0;
    for semantics in Semantics::ALL {
        app.command(&ctx, Command::SetSemantics(Some(semantics)));
        let changes: [&[Command]; 4] = [
            &[Action::UnfreezeAll.into()],
            &[Action::FreezeAll.into(), Command::AugmentBatch(true)],
            &[Command::SetCall(Outer::Given(Mode::Inference))],
            &[
                Command::CompareNorms(true),
                PipelineCommand::Remove(0).into(),
            ],
        ];
        for change in changes {
            for command in change {
                app.command(&ctx, command.clone());
            }
            for view in View::ALL {
                app.command(&ctx, Action::Show(view).into());
                app.settle(&ctx);
                let text = explanation(app.state(), view).text;
                check(&text, &format!("{view:?}, {semantics:?}, {change:?}"));
                checked += 1;
            }
        }
        app.command(&ctx, Action::ResetSettings.into());
    }
    assert_eq!(checked, 4 * 4 * View::COUNT);
}
