//! A timer with the precision that asyncio promises.
//!
//! tokio rounds its timers up to milliseconds; `asyncio.sleep(0.001)` would take two. On Linux a timerfd waits beside
//! the sockets; elsewhere tokio's timer has to do.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

/// Seconds of the monotonic clock, as `time.monotonic()` tells them.
pub(crate) type Monotonic = f64;

/// The longest span that a timer is set for, in seconds: about 31 years.
///
/// Python's timers may be set for any time, infinity included, which the types of the clocks cannot tell.
const LONGEST: f64 = 1e9;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Timer, now};

#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{Timer, now};

#[cfg(target_os = "linux")]
mod linux {
    #![expect(unsafe_code, reason = "timerfd is reached through libc")]

    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    use tokio::io::unix::AsyncFd;

    use super::{Context, Duration, LONGEST, Monotonic, Poll, io};

    /// The clock that `time.monotonic()` and the timer share.
    pub(crate) fn now() -> Monotonic {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the pointer is valid for the call; CLOCK_MONOTONIC exists on every Linux.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
        Duration::new(
            time.tv_sec.cast_unsigned(),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
        .as_secs_f64()
    }

    #[derive(Debug)]
    pub(crate) struct Timer {
        descriptor: AsyncFd<OwnedFd>,
        armed: Option<Monotonic>,
    }

    impl Timer {
        /// A timer on the runtime of this thread.
        pub(crate) fn new() -> io::Result<Self> {
            // SAFETY: the call has no preconditions; a negative result is handled.
            let descriptor = unsafe {
                libc::timerfd_create(
                    libc::CLOCK_MONOTONIC,
                    libc::TFD_NONBLOCK | libc::TFD_CLOEXEC,
                )
            };
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the descriptor is fresh and owned by nobody else.
            let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
            Ok(Self {
                // SAFETY: the descriptor is owned by what is registered and stays the same for its life.
                descriptor: unsafe {
                    AsyncFd::register_with_interest(descriptor, tokio::io::Interest::READABLE)
                }?,
                armed: None,
            })
        }

        /// Wakes the task of `cx` at `deadline`, or earlier; the caller looks at the clock.
        pub(crate) fn wake_at(
            &mut self,
            deadline: Monotonic,
            cx: &mut Context<'_>,
        ) -> io::Result<()> {
            while let Poll::Ready(ready) = self.descriptor.poll_read_ready(cx) {
                ready?.clear_ready();
                self.armed = None;
            }
            if self
                .armed
                .is_some_and(|armed| armed <= deadline && armed > now())
            {
                return Ok(());
            }
            // Zero would disarm it.
            let deadline_span = Duration::from_secs_f64(deadline.clamp(1e-9, LONGEST));
            let time = libc::itimerspec {
                it_interval: libc::timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                },
                it_value: libc::timespec {
                    tv_sec: deadline_span.as_secs().cast_signed(),
                    tv_nsec: deadline_span.subsec_nanos().into(),
                },
            };
            let descriptor = self.descriptor.get_ref().as_raw_fd();
            // SAFETY: the descriptor is a timerfd, the pointers are valid or null where the call allows it.
            let result = unsafe {
                libc::timerfd_settime(
                    descriptor,
                    libc::TFD_TIMER_ABSTIME,
                    &raw const time,
                    std::ptr::null_mut(),
                )
            };
            if result < 0 {
                return Err(io::Error::last_os_error());
            }
            self.armed = Some(deadline);
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::OnceLock;
    use std::time::Instant;

    use tokio::time::Sleep;

    use super::{Context, Duration, LONGEST, Monotonic, io};

    /// The monotonic clock as Python tells it, carried on from one reading.
    pub(crate) fn now() -> Monotonic {
        static START: OnceLock<(Instant, Monotonic)> = OnceLock::new();
        let (instant, seconds) = START.get_or_init(|| {
            let seconds = pyo3::Python::attach(|py| {
                py.import("time")
                    .and_then(|time| time.call_method0("monotonic"))
                    .and_then(|seconds| seconds.extract())
                    .expect("time.monotonic() exists and returns a float")
            });
            (Instant::now(), seconds)
        });
        seconds + instant.elapsed().as_secs_f64()
    }

    #[derive(Debug)]
    pub(crate) struct Timer {
        sleep: Pin<Box<Sleep>>,
    }

    impl Timer {
        /// A timer on the runtime of this thread.
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self {
                sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
            })
        }

        /// Wakes the task of `cx` at `deadline`, or earlier; the caller looks at the clock.
        pub(crate) fn wake_at(
            &mut self,
            deadline: Monotonic,
            cx: &mut Context<'_>,
        ) -> io::Result<()> {
            let span = Duration::from_secs_f64((deadline - now()).clamp(0.0, LONGEST));
            self.sleep
                .as_mut()
                .reset(tokio::time::Instant::now() + span);
            if self.sleep.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
            Ok(())
        }
    }
}
