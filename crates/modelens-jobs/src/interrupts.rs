//! What makes begun work out of date, in a form that reaches a worker that takes no messages while it works.

use std::ops::BitOr;

use crate::{Request, TrainRequest};

/// A set of reasons to give up what has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interrupts(u32);

impl Interrupts {
    pub const NONE: Self = Self(0);
    /// A newer look.
    pub const LOOK: Self = Self(1);
    /// The person stopped what runs.
    pub const CANCEL: Self = Self(1 << 1);
    /// The background measurement of a look is no longer wanted.
    pub const BACKGROUND: Self = Self(1 << 2);
    /// The experiment was stopped or replaced.
    pub const TRAINING: Self = Self(1 << 3);
    /// Something that the person waits for, while a look ahead of time runs.
    pub const AHEAD: Self = Self(1 << 4);
    /// The number of reasons.
    pub const COUNT: u32 = 5;

    /// The set with these bits; others are left out.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << Self::COUNT) - 1))
    }

    pub fn bits(self) -> u32 {
        self.0
    }

    /// What a request makes out of date when it arrives.
    pub fn of(request: &Request) -> Self {
        match request {
            Request::Look(_) => Self::LOOK | Self::BACKGROUND | Self::AHEAD,
            Request::BatchNorm(_) => Self::BACKGROUND | Self::AHEAD,
            Request::Train(TrainRequest::Start { .. } | TrainRequest::Stop) => {
                Self::TRAINING | Self::AHEAD
            }
            Request::OpenModel(_)
            | Request::OpenTrained(_)
            | Request::OpenPhotos(_)
            | Request::TryScales { .. }
            | Request::Run(_)
            | Request::Ahead(_)
            | Request::Figure { .. }
            | Request::Train(_)
            | Request::SaveModel { .. } => Self::AHEAD,
            Request::ListCaches | Request::Release(_) | Request::Thumbnail { .. } => Self::NONE,
        }
    }

    /// What [`crate::Jobs::cancel`] makes out of date.
    pub fn of_cancel() -> Self {
        Self::CANCEL | Self::BACKGROUND | Self::AHEAD
    }

    /// Whether any reason is in both sets.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Interrupts {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
