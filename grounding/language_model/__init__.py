"""Language models behind endpoints: asked, paced, retried, within a budget, remembered."""
