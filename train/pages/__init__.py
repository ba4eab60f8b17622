"""Self-contained HTML pages: templates, charts as inline SVG, pictures as data URIs, and a PDF."""
