//! Two stores converge, whatever breaks.
