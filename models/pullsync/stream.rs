//! One exchange over two pipes of bytes.
